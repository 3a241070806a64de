import Foundation
import Layers
import Tensors

extension ProxyProbe {
  /// log E Σ|f(x) − f(x + 0.01·ε)| + Σ over normalisations of log √(mean over channels of the variance), with normal x and
  /// ε, where f ends in front of the global pooling; the mean over some draws of weights. The variance is the one that the
  /// normalisation divides by: the population's.
  ///
  /// Weights are drawn from the standard normal distribution, except for those that start at zero: offset predictors.
  /// Normalisations have γ = 1 and β = 0.
  ///
  /// - Parameters:
  ///   - draws: how many.
  ///   - published: whether variances are the running ones, which start at 1 and accumulate from draw to draw, in place of
  ///     the batch's, and biases are zero: so Lin et al.'s program has it, with 32 draws.
  func zen(draws: Int = 4, published: Bool = false, random: Random) throws(ProxyRefusal) -> Double {
    guard let links = network.featureLinks else {
      throw ProxyRefusal("this network is not a chain of layers with a last feature map.")
    }
    let normalizations = links.flatMap(\.normalizations)
    func setVariances(_ value: Float) {
      for layer in normalizations {
        layer.runningVariance.value = Tensor(repeating: value, layer.runningVariance.value.shape)
      }
    }
    func features(_ x: Tensor) -> Tensor { links.reduce(x) { $1.forward($0, context) } }
    setVariances(1)
    var sum = 0.0
    for draw in 0..<draws {
      let random = random.split("repetition \(draw)")
      drawWeights(normalizations, random, zeroesBiases: published)
      // From zero, they become momentum times the batch's, unbiased.
      if !published { setVariances(0) }
      var own = random.split("images")
      let shape = batch.images.shape
      let images = Tensor(normal: shape, using: &own), noise = Tensor(normal: shape, using: &own)
      let output = features(images), deviations = logDeviations(normalizations, share: \.shareOfBatch)
      let disturbed = features(.sum(images, noise.scaled(by: 0.01), threads: threads))
      let distance = withPointers(output, disturbed) { a, b in
        (0..<output.count).reduce(0.0) { $0 + abs(Double(a[$1]) - Double(b[$1])) }
      }
      sum += log(distance / Double(shape[0]))
      sum += published ? logDeviations(normalizations, share: { _ in 1 }) : deviations
    }
    return sum / Double(draws)
  }

  private func drawWeights(_ normalizations: [BatchNormalization], _ random: Random, zeroesBiases: Bool) {
    for weight in network.namedWeights where weight.parameter.value.largestMagnitude > 0 {
      var own = random.split(weight.name)
      weight.parameter.value = Tensor(normal: weight.parameter.value.shape, using: &own)
    }
    for parameter in network.parameters.map(\.parameter) where zeroesBiases && parameter.isBias {
      parameter.value = Tensor(repeating: 0, parameter.value.shape)
    }
    for layer in normalizations {
      layer.weight.value = Tensor(repeating: 1, layer.weight.value.shape)
      layer.bias.value = Tensor(repeating: 0, layer.bias.value.shape)
    }
  }

  /// Σ log √(mean over channels of the variance), which is the running one's share.
  private func logDeviations(_ layers: [BatchNormalization], share: (BatchNormalization) -> Double) -> Double
  {
    layers.reduce(0) { sum, layer in
      let variances = layer.runningVariance.value
      return sum + log(variances.sum() / share(layer) / Double(variances.count)) / 2
    }
  }
}

extension Parameter {
  /// Whether it is one value for each output; a normalisation's factors, which are too, are set after the biases.
  fileprivate var isBias: Bool { layout == .plain && role == .trained }
}

extension BatchNormalization {
  /// The running variance for a batch's variance of 1, if it was 0 before.
  fileprivate var shareOfBatch: Double {
    momentum * Double(valuesPerChannel) / Double(max(valuesPerChannel - 1, 1))
  }
}
