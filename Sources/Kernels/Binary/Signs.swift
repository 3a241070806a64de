import Compute
import Layers
import Tensors

/// y = sign(x), 0 for 0, so that padding and what a ReLU cuts off stay zeros. The gradient passes where |x| < 1.
///
/// Both are as in XNOR-Net's published code (Rastegari et al., 2016, arXiv:1603.05279).
final class Signs: Defined, TorchPrinted {
  private var saved = Saved<Tensor>()

  var printedName: String { "Sign" }
  var hasOwnGradients: Bool { true }

  func outputShape(for input: FeatureShape) -> FeatureShape { input }

  /// A comparison for each value.
  func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    Cost(otherOps: input.count, bytes: (pass == .backward ? 12 : 8) * input.count)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    saved.keep(input, context)
    let count = input.count
    return input.mapped { x, y in
      parallel(count, threads: context.threads, grain: 4096) { range in
        for index in range { y[index] = x[index] > 0 ? 1 : x[index] < 0 ? -1 : x[index] }
      }
    }
  }

  func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let x = saved.take(), count = x.count
    let dx = gradient.mapped { g, dx in
      x.withPointer { x in
        parallel(count, threads: context.threads, grain: 4096) { range in
          for index in range { dx[index] = abs(x[index]) < 1 ? g[index] : 0 }
        }
      }
    }
    return input.total(dx, threads: context.threads)
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    input.map { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 }
  }
}

extension Signs: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    graph.node("Sign", [x])
  }
}
