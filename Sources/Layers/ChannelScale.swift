import Compute
import Tensors

/// y = γ[c] · x: a learned factor for each channel (Touvron et al., 2021, arXiv:2103.17239, as LayerScale).
package final class ChannelScale: Defined, TorchPrinted, HoldsDecisions {
  private let weight: Parameter
  private var saved = Saved<Tensor>()

  /// So many factors, all of which start at a value.
  package init(channels: Int, value: Float) {
    weight = Parameter(Tensor(repeating: value, [channels]), layout: .plain, decays: false)
  }

  package var ownState: [NamedParameter] { [NamedParameter("weight", weight)] }
  package var printedArguments: String { "\(weight.value.count)" }

  package func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.channels == weight.value.count else {
      throw WorkbenchError("The scale takes \(weight.value.count) channels, not \(input.channels).")
    }
    return input
  }

  /// A product for each value; backward, one to each gradient.
  package func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let count = input.count, parameters = parameterCount
    return pass == .backward
      ? Cost(parameters: parameters, macs: count, otherOps: count, bytes: 12 * count + 8 * parameters)
      : Cost(parameters: parameters, otherOps: count, bytes: 8 * count + 4 * parameters)
  }

  package func forward(_ input: Tensor, _ context: Context) -> Tensor {
    saved.keep(input, context)
    return scaled(input, context)
  }

  package func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let products = saved.take().times(gradient, threads: context.threads), channels = weight.value.count
    let sums = products.withPointer {
      channelSum($0, rows: products.count / channels, channels: channels, threads: context.threads)
    }
    weight.gradient = Tensor(sums.map(Float.init), [channels])
    return input.total(scaled(gradient, context), threads: context.threads)
  }

  private func scaled(_ x: Tensor, _ context: Context) -> Tensor {
    var y = Tensor(uninitialized: x.shape)
    // All pixels of a batch have the same factors, as those of one image have in a gate.
    let shape = FeatureShape(
      batch: 1, height: x.shape[0] * x.shape[1], width: x.shape[2], channels: x.shape[3])
    withPointers(x, weight.value) { x, factors in
      y.withMutablePointer {
        Gating(shape, isByChannel: true).multiply(x, factors, $0, threads: context.threads)
      }
    }
    return y
  }

  package func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    Tensor64(input.shape) { input[$0, $1, $2, $3] * parameters[0].values[$3] }
  }
}

extension ChannelScale: ONNXExported {
  package func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    graph.node("Mul", [x, graph.reshaped(graph.constant("weight", weight), [1, -1, 1, 1])])
  }
}
