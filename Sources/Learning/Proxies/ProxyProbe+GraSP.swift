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
        "\(layer.typeName) does not support fixed decisions (see HoldsDecisions), so second derivatives might be wrong."
      )
    }
    let weights = weights, values = weights.map(\.value)
    func halfSquaredNorm(_ t: Double) -> Double {
      for (weight, value) in zip(weights, values) { weight.value = value.scaled(by: Float(1 + t)) }
      differentiate(batch, deciding)
      return weights.reduce(0) { $0 + ($1.gradient.map { $0.dot($0) } ?? 0) } / 2
    }
    // For most networks one difference a step is enough; where single precision is too noisy, it takes the mean of more.
    for samples in [1, 8, 32] {
      let slope = Derivative(of: halfSquaredNorm, samples: samples, tolerance: 1e-5)
      let error = slope.error / abs(slope.value)
      if error <= 1.5e-3 { return -slope.value }
      // 32 times as many make the noise six times smaller at best.
      if !(error < 0.015) { break }
    }
    throw ProxyRefusal("its differences are too noisy in single precision to be accurate to two thousandths.")
  }
}

extension Tensor {
  /// The product with a factor.
  func scaled(by factor: Float) -> Tensor {
    mapped { x, y in Elementwise.scale(factor, x, y, count: count, threads: 1) }
  }
}
