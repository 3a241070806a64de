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
    if let layer = network.firstWithoutHeldDecisions {
      throw ProxyRefusal(
        "\(layer.printedName) does not say that its decisions can be held (see HoldsDecisions), so that second derivatives might be wrong."
      )
    }
    let weights = weights, values = weights.map(\.value), decisions = Decisions()
    decide(decisions)
    let slope = Derivative(
      of: { t in
        for (weight, value) in zip(weights, values) { weight.value = value.scaled(by: Float(1 + t)) }
        decisions.startPass()
        differentiate(batch, decisions: decisions)
        return weights.reduce(0) { $0 + ($1.gradient.map { $0.dot($0) } ?? 0) } / 2
      }, tolerance: 1e-5)
    guard slope.error <= 1e-3 * abs(slope.value) else {
      throw ProxyRefusal("its differences do not agree to a thousandth in single precision.")
    }
    return -slope.value
  }

  /// Makes the decisions of the present weights: in double precision where that takes a minute or less.
  ///
  /// One of a million ReLUs that decides otherwise, since rounding carries its input over zero, can change the result by
  /// some thousandths.
  private func decide(_ decisions: Decisions) {
    let images = batch.images
    let cost = try? network.cost(for: FeatureShape(images), pass: .inference)
    if let cost, cost.macs + cost.adds + cost.otherOps < 10_000_000_000 {
      Decisions.$ofDefinition.withValue(decisions) {
        _ = network.reference(
          Tensor64(images), network.parameters.map { Tensor64($0.parameter.value) }, training: true)
      }
    }
    var context = context
    context.decisions = decisions
    decisions.startPass()
    _ = network.forward(images, context)
  }
}

extension Tensor {
  /// The product with a factor.
  func scaled(by factor: Float) -> Tensor {
    mapped { x, y in Elementwise.scale(factor, x, y, count: count, threads: 1) }
  }
}
