import Foundation
import Layers
import Tensors

extension ProxyProbe {
  /// log E Σ|f(x) − f(x + 0.01·ε)| + Σ over normalisations of log √(mean over channels of the batch's variance), with
  /// normal x and ε, where f ends in front of the global pooling; the mean over some draws of weights.
  ///
  /// Weights are drawn from the standard normal distribution, but for those that start at zero: offset predictors.
  /// Normalisations have γ = 1 and β = 0.
  func zen(repetitions: Int = 4, random: Random) throws(ProxyRefusal) -> Double {
    guard let links = network.featureLinks else {
      throw ProxyRefusal("this network is no chain of layers with a last feature map.")
    }
    let normalizations = links.flatMap(\.tree).compactMap(\.ownNormalization)
    var sum = 0.0
    for repetition in 0..<repetitions {
      let random = random.split("repetition \(repetition)")
      for weight in network.namedWeights where weight.parameter.value.largestMagnitude > 0 {
        var own = random.split(weight.name)
        weight.parameter.value = Tensor(normal: weight.parameter.value.shape, using: &own)
      }
      var own = random.split("images")
      let shape = batch.images.shape
      let images = Tensor(normal: shape, using: &own), noise = Tensor(normal: shape, using: &own)
      for layer in normalizations {
        let shape = layer.weight.value.shape, zeros = Tensor(repeating: 0, shape)
        layer.weight.value = Tensor(repeating: 1, shape)
        layer.bias.value = zeros
        // Starting from zero, it becomes momentum times the batch's.
        layer.runningVariance.value = zeros
      }
      func features(_ x: Tensor) -> Tensor { links.reduce(x) { $1.forward($0, context) } }
      let output = features(images)
      let factors = normalizations.map { layer in
        let variances = layer.runningVariance.value
        return log(variances.sum() / layer.momentum / Double(variances.count)) / 2
      }
      let disturbed = features(.sum(images, noise.scaled(by: 0.01), threads: threads))
      let distance = withPointers(output, disturbed) { a, b in
        (0..<output.count).reduce(0.0) { $0 + abs(Double(a[$1]) - Double(b[$1])) }
      }
      sum += log(distance / Double(shape[0])) + factors.reduce(0, +)
    }
    return sum / Double(repetitions)
  }
}

extension Layer {
  /// The layer, if it is a batch normalisation.
  fileprivate var ownNormalization: BatchNormalization? {
    guard case .normalization(let normalization) = (self as? any EpiloguePart)?.part else { return nil }
    return normalization
  }
}
