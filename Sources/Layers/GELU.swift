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
    var y = Tensor(uninitialized: input.shape)
    input.withPointer { x in
      y.withMutablePointer { y in
        parallel(input.count, threads: context.threads, grain: 4096) { range in
          for index in range { y[index] = Float(Self.value(Double(x[index]))) }
        }
      }
    }
    return y
  }

  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let x = saved.take(), count = x.count
    let dx = gradient.mapped { g, dx in
      x.withPointer { x in
        parallel(count, threads: context.threads, grain: 4096) { range in
          for index in range { dx[index] = g[index] * Float(Self.slope(Double(x[index]))) }
        }
      }
    }
    return input.total(dx, threads: context.threads)
  }

  private static func share(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }
  private static func value(_ x: Double) -> Double { x * share(x) }
  private static func slope(_ x: Double) -> Double {
    share(x) + x * exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
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
