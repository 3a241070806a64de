import Compute
import Tensors

/// y = x · min(max(x + 3, 0), 6) / 6 (Howard et al., 2019, arXiv:1905.02244), a piecewise approximation of the swish.
public final class HardSwish: Defined, TorchPrinted, HoldsDecisions {
  /// The input, and where it was when decisions were made.
  private var saved = Saved<(x: Tensor, origin: Tensor)>()

  /// A hard swish.
  public init() {}

  public var printedName: String { "Hardswish" }
  public var printedArguments: String { "" }
  public var isExactOnIntegers: Bool { false }

  public func outputShape(for input: FeatureShape) -> FeatureShape { input }

  /// A sum, two comparisons, a product and a division for each value; backward, the slope 2x + 3 and the same of them.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let count = input.count
    return pass == .backward
      ? Cost(macs: count, otherOps: 4 * count, bytes: 12 * count)
      : Cost(adds: count, otherOps: 4 * count, bytes: 8 * count)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let origin = context.decided(by: self) { input }
    saved.keep((input, origin), context)
    var y = Tensor(uninitialized: input.shape)
    withPointers(input, origin) { x, origin in
      y.withMutablePointer { y in
        parallel(input.count, threads: context.threads, grain: 4096) { range in
          for index in range {
            let x = x[index], at = origin[index]
            y[index] = at <= -3 ? 0 : at >= 3 ? x : x * (x + 3) / 6
          }
        }
      }
    }
    return y
  }

  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (x, origin) = saved.take(), count = x.count
    let dx = gradient.mapped { g, dx in
      withPointers(x, origin) { x, origin in
        parallel(count, threads: context.threads, grain: 4096) { range in
          for index in range {
            let at = origin[index]
            dx[index] = g[index] * (at <= -3 ? 0 : at >= 3 ? 1 : (2 * x[index] + 3) / 6)
          }
        }
      }
    }
    return input.total(dx, threads: context.threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    _ = Decisions.ofDefinition?.made(by: self) { Tensor(input) }
    return input.map { $0 * min(max($0 + 3, 0), 6) / 6 }
  }
}

extension HardSwish: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    graph.node("HardSwish", [x])
  }
}
