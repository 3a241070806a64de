import Compute
import Foundation
import Tensors

/// y = 1 / (1 + exp(−x)).
public final class Sigmoid: Defined, HoldsDecisions {
  private var output = Saved<Tensor>()

  /// A sigmoid.
  public init() {}

  public var isExactOnIntegers: Bool { false }

  public func outputShape(for input: FeatureShape) -> FeatureShape { input }

  /// One function for each value; backward, a difference and two products: y · (1 − y) · g.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let count = input.count
    return pass == .backward
      ? Cost(adds: count, otherOps: 2 * count, bytes: 12 * count) : Cost(otherOps: count, bytes: 8 * count)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    var result = Tensor(uninitialized: input.shape)
    input.withPointer { x in
      result.withMutablePointer {
        Elementwise.sigmoid(x, $0, count: input.count, threads: context.threads)
      }
    }
    output.keep(result, context)
    return result
  }

  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let output = output.take()
    let dx = gradient.mapped { g, dx in
      output.withPointer {
        Elementwise.sigmoidGradient($0, g, dx, count: output.count, threads: context.threads)
      }
    }
    return input.total(dx, threads: context.threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    input.map { 1 / (1 + exp(-$0)) }
  }
}

extension Sigmoid: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    graph.node("Sigmoid", [x])
  }
}
