import Compute
import Layers
import Tensors

extension ProxyProbe {
  /// −Σ w · (H·g), with the gradient g and the Hessian H of the loss in the weights.
  ///
  /// As H is symmetric, w · H·g = g · H·w: half the derivative of ‖g‖² along w. It is taken by central differences
  /// while all weights grow by a factor 1 + t, t = ±1/64 and ±1/32, extrapolated to t = 0: behind batch normalisation
  /// that changes no ReLU's decision, and needs gradients alone.
  func grasp() -> Double {
    let weights = weights, values = weights.map(\.value)
    func halfSquare(_ t: Double) -> Double {
      for (weight, value) in zip(weights, values) { weight.value = value.scaled(by: Float(1 + t)) }
      differentiate(batch)
      return weights.reduce(0) { $0 + ($1.gradient.map { $0.dot($0) } ?? 0) } / 2
    }
    func slope(_ t: Double) -> Double { (halfSquare(t) - halfSquare(-t)) / (2 * t) }
    let step = 1.0 / 64
    return -(4 * slope(step) - slope(2 * step)) / 3
  }
}

extension Tensor {
  /// The product with a factor.
  func scaled(by factor: Float) -> Tensor {
    mapped { x, y in Elementwise.scale(factor, x, y, count: count, threads: 1) }
  }
}
