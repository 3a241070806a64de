import Layers
import Tensors

extension ProxyProbe {
  /// grad_norm, SNIP and both forms of Fisher, from one pass over the first minibatch.
  func gradientProxies() -> (gradNorm: Double, snip: Double, fisher: Double, fisherPublished: Double) {
    let fisher = FisherSum()
    differentiate(batch, deciding, observer: fisher.observer)
    var norm = 0.0, snip = 0.0
    for weight in weights {
      guard let gradient = weight.gradient else { continue }
      norm += gradient.dot(gradient).squareRoot()
      snip += withPointers(weight.value, gradient) { w, g in
        (0..<gradient.count).reduce(0.0) { $0 + abs(Double(w[$1]) * Double(g[$1])) }
      }
    }
    return (norm, snip, fisher.sum, fisher.sumForEachWeight)
  }
}

/// Adds up Fisher information over the outputs of the layers that have weights.
private final class FisherSum {
  private(set) var sum = 0.0
  /// The same, each channel's for each of its weights.
  private(set) var sumForEachWeight = 0.0
  private var outputs: [ObjectIdentifier: [Tensor]] = [:]

  var observer: Observer {
    Observer(
      ran: { [self] run in
        if !run.layer.weights.isEmpty { outputs[ObjectIdentifier(run.layer), default: []].append(run.output) }
      },
      gradient: { [self] layer, gradient in
        guard let output = outputs[ObjectIdentifier(layer)]?.popLast() else { return }
        let own = Self.fisher(output, gradient), channels = output.shape[output.shape.count - 1]
        sum += own
        sumForEachWeight += own * Double(layer.weights.reduce(0) { $0 + $1.value.count }) / Double(channels)
      })
  }

  /// ½ Σ over channels of the mean over images of (Σ over pixels of activation · gradient)².
  private static func fisher(_ output: Tensor, _ gradient: Tensor) -> Double {
    let images = output.shape[0], channels = output.shape[output.shape.count - 1]
    let image = output.count / max(images, 1)
    return withPointers(output, gradient) { a, g in
      var sum = 0.0
      for first in stride(from: 0, to: images * image, by: max(image, 1)) {
        for channel in 0..<channels {
          let flow = stride(from: first + channel, to: first + image, by: channels)
            .reduce(0.0) { $0 + Double(a[$1]) * Double(g[$1]) }
          sum += flow * flow
        }
      }
      return sum / Double(2 * images)
    }
  }
}
