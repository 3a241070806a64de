import Layers
import Tensors

/// A kernel's layer whose weights a model can initialise by a rule of its own.
package protocol StartsByRule: Layer {
  /// Gives the weights new values, and the bias too if the rule is PyTorch's. Weights that are not factors keep their
  /// values.
  func start(by rule: Initialization, _ random: Random)
}

extension ConvolutionLayer: StartsByRule {
  package func start(by rule: Initialization, _ random: Random) {
    guard combination.isProduct else { return }
    var random = random
    for learned in weights.ownParameters.map(\.parameter) where learned.value.shape == geometry.weightShape {
      learned.value = rule.weights(geometry.weightShape, using: &random)
    }
    guard let bias, rule == .pyTorch else { return }
    let bound = 1 / Double(geometry.taps * geometry.channelsPerGroup).squareRoot()
    bias.value = Tensor(uniform: bias.value.shape, in: -bound..<bound, using: &random)
  }
}
