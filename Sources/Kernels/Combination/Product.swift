import Compute
import Layers

/// The product of convolution: y = Σ x · w.
public struct Product: Combination {
  public let name = "multiply"
  public let formula = "x·w"
  public let reduction = Reduction.sum
  public let isProduct = true
  public let initialization = Initialization.residual
  public let engine: CombinationEngine? = CombinationEngine(step: .product, gradients: .products)
  public let printedStem = "Conv"

  /// The product.
  public init() {}

  public func term(_ x: Double, _ w: Double) -> Double { x * w }
  public func derivatives(_ x: Double, _ w: Double) -> (x: Double, w: Double) { (w, x) }
  public func derivatives(_ x: Double, _ w: Double, decidedAt x0: Double, _ w0: Double) -> (
    x: Double, w: Double
  )? { (w, x) }

  /// Backward, the gradients to input and weights are two more convolutions.
  public func cost(terms: Int, pass: Cost.Pass) -> Cost { Cost(macs: pass == .backward ? 2 * terms : terms) }
}
