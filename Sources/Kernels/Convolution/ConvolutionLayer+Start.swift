import Layers
import Tensors

/// A kernel's layer whose weights a model can initialise by its own rule.
package protocol StartsByRule: Layer {
  /// Gives the weights new values, and the bias too where the rule is PyTorch's; leaves weights alone that are no factors.
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
