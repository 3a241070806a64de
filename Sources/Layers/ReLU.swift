import Compute
import Tensors

/// y = max(x, 0).
public final class ReLU: Defined, TorchPrinted, HoldsDecisions {
  /// Positive where it lets values through.
  private var output = Saved<Tensor>()

  /// A rectifier.
  public init() {}

  public var printedArguments: String { "inplace=True" }

  public func outputShape(for input: FeatureShape) -> FeatureShape { input }

  /// A comparison for each value; backward, of the output.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    Cost(otherOps: input.count, bytes: (pass == .backward ? 12 : 8) * input.count)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    if let decisions = context.decisions {
      let passes = decisions.made(by: self) { Tensor.signs(input.values, input.shape) }
      output.keep(passes, context)
      context.report(rectified: passes, of: self)
      return input.times(passes, threads: context.threads)
    }
    var result = Tensor(uninitialized: input.shape)
    input.withPointer { x in
      result.withMutablePointer { Elementwise.relu(x, $0, count: input.count, threads: context.threads) }
    }
    output.keep(result, context)
    context.report(rectified: result, of: self)
    return result
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    _ = Decisions.ofDefinition?.made(by: self) { Tensor.signs(input.values, input.shape) }
    return input.map { max($0, 0) }
  }

  /// Keeps an output that another layer has computed in training, for the backward pass.
  public func keep(output: Tensor, _ context: Context) { self.output.keep(output, context) }

  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let output = output.take()
    let dx = gradient.mapped { g, dx in
      output.withPointer {
        Elementwise.reluGradient($0, g, dx, count: output.count, threads: context.threads)
      }
    }
    return input.total(dx, threads: context.threads)
  }
}

extension ReLU: EpiloguePart {
  public var part: Epilogue.Part { .rectifier(self) }
}

extension ReLU: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    graph.node("Relu", [x])
  }
}
