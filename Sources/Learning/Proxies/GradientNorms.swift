import Layers
import Tensors

/// The norm of the loss's gradient to one weight array.
package struct GradientNorm: Hashable, Sendable {
  /// The layer's name, such as `layer1.0.conv2`.
  package let layer: String
  /// ‖∂L/∂w‖₂ of the mean cross-entropy.
  package let norm: Double
  /// ‖w‖₂
  package let weightNorm: Double

  /// The norms of all weights of a network, in the order of their names in files; the network is as it was
  /// afterwards.
  package static func all(of network: any Layer, _ batch: Minibatch, threads: Int) -> [GradientNorm] {
    network.unchanged {
      let probe = ProxyProbe(network: network, batches: [batch], threads: threads)
      probe.differentiate(batch, probe.context)
      return network.namedWeights.map { weight in
        let suffix = ".weight", value = weight.parameter.value
        return GradientNorm(
          layer: weight.name.hasSuffix(suffix) ? String(weight.name.dropLast(suffix.count)) : weight.name,
          norm: weight.parameter.gradient.map { $0.dot($0).squareRoot() } ?? 0,
          weightNorm: value.dot(value).squareRoot())
      }
    }
  }
}
