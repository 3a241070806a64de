import Compute
import Tensors

/// y = min(max(x, 0), 6) (Krizhevsky, 2010), used in MobileNets.
public final class ReLU6: Defined, TorchPrinted, HoldsDecisions {
  /// The largest output.
  static let most: Float = 6

  /// Between 0 and 6 where it lets values through.
  private var saved = Saved<Tensor>()

  /// A rectifier with an upper limit.
  public init() {}

  public var printedArguments: String { "inplace=True" }

  public func outputShape(for input: FeatureShape) -> FeatureShape { input }

  /// Two comparisons for each value.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    Cost(otherOps: 2 * input.count, bytes: (pass == .backward ? 12 : 8) * input.count)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    if let decisions = context.decisions {
      let code = decisions.made(by: self) { Self.code(input.values, input.shape) }
      saved.keep(code, context)
      context.report(rectified: code, of: self)
      return Tensor(zip(input.values, code.values).map { $1 == 1 ? $0 : $1 }, input.shape)
    }
    saved.keep(input, context)
    var result = Tensor(uninitialized: input.shape)
    input.withPointer { x in
      result.withMutablePointer {
        Elementwise.relu(x, $0, most: Self.most, count: input.count, threads: context.threads)
      }
    }
    context.report(rectified: result, of: self)
    return result
  }

  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let saved = saved.take()
    let dx = gradient.mapped { g, dx in
      saved.withPointer {
        Elementwise.relu6Gradient($0, g, dx, count: saved.count, threads: context.threads)
      }
    }
    return input.total(dx, threads: context.threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    _ = Decisions.ofDefinition?.made(by: self) { Self.code(input.values, input.shape) }
    return input.map { min(max($0, 0), 6) }
  }

  /// 1 where a value passes, and the constant where it does not.
  private static func code(_ values: [some BinaryFloatingPoint], _ shape: [Int]) -> Tensor {
    Tensor(values.map { $0 <= 0 ? 0 : $0 >= 6 ? 6 : 1 }, shape)
  }
}

extension ReLU6: EpiloguePart {
  public var part: Epilogue.Part { .limiter(self) }
}

extension ReLU6: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let limits = [0, 6].map { graph.constant($0 == 0 ? "least" : "most", Tensor([Float($0)], [])) }
    return graph.node("Clip", [x] + limits)
  }
}
