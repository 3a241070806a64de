import Compute
import Layers
import Tensors

extension ProxyProbe {
  /// −Σ w · (H·g), with the gradient g and the Hessian H of the loss in the weights, as autograd has it: what ReLUs and
  /// maxima decide has no derivative.
  ///
  /// w · H·g is half the derivative of ‖g‖² along w. It is taken by differences while all weights grow by a factor
  /// 1 + t and all layers decide as they do at t = 0; so ‖g‖² is smooth in t.
  func grasp() throws(ProxyRefusal) -> Double {
    guard decisions != nil else {
      let layer = network.firstWithoutHeldDecisions ?? network
      throw ProxyRefusal(
        "\(layer.printedName) does not say that its decisions can be held (see HoldsDecisions), so that second derivatives might be wrong."
      )
    }
    let weights = weights, values = weights.map(\.value)
    let slope = Derivative(
      of: { t in
        for (weight, value) in zip(weights, values) { weight.value = value.scaled(by: Float(1 + t)) }
        differentiate(batch, deciding)
        return weights.reduce(0) { $0 + ($1.gradient.map { $0.dot($0) } ?? 0) } / 2
      }, tolerance: 1e-5)
    guard slope.error <= 1e-3 * abs(slope.value) else {
      throw ProxyRefusal("its differences do not agree to a thousandth in single precision.")
    }
    return -slope.value
  }
}

extension Tensor {
  /// The product with a factor.
  func scaled(by factor: Float) -> Tensor {
    mapped { x, y in Elementwise.scale(factor, x, y, count: count, threads: 1) }
  }
}
