import Compute
import Foundation
import Tensors

/// y = x · Φ(x), Φ the normal distribution's function (Hendrycks and Gimpel, 2016, arXiv:1606.08415), as PyTorch's exact
/// form.
public final class GELU: Defined, TorchPrinted, HoldsDecisions {
  private var saved = Saved<Tensor>()

  /// A Gaussian error linear unit.
  public init() {}

  public var printedArguments: String { "approximate='none'" }
  public var isExactOnIntegers: Bool { false }

  public func outputShape(for input: FeatureShape) -> FeatureShape { input }

  /// The function and a product for each value; backward, the function, the density, two products and a sum.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let count = input.count
    return pass == .backward
      ? Cost(macs: count, otherOps: 3 * count, bytes: 12 * count)
      : Cost(otherOps: 2 * count, bytes: 8 * count)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    saved.keep(input, context)
    return input.mapped { GaussianUnit.values($0, $1, count: input.count, threads: context.threads) }
  }

  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let x = saved.take(), count = x.count
    let dx = gradient.mapped { g, dx in
      x.withPointer { GaussianUnit.gradient($0, g, dx, count: count, threads: context.threads) }
    }
    return input.total(dx, threads: context.threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    input.map { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }
  }
}

/// Operators of version 19 have no `Gelu`.
extension GELU: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let erf = graph.node("Erf", [graph.scalar("Mul", x, Float(0.5.squareRoot()))])
    return graph.node("Mul", [graph.scalar("Mul", x, 0.5), graph.scalar("Add", erf, 1)])
  }
}
