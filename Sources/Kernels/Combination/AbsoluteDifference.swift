import Compute
import Layers

/// AdderNet's distance: y = −Σ |x − w| (Chen et al., 2020, arXiv:1912.13200).
///
/// Its gradients are the paper's, which train well, not the derivatives: (x − w) · g for w, clamp(w − x, −1, 1) · g
/// for x (equations 9 to 11).
public struct AbsoluteDifference: Combination {
  public let name = "adder"
  public let formula = "−|x − w|"
  public let reduction = Reduction.sum
  public let hasOwnGradients = true
  public let initialization = Initialization.normal(deviation: 1)
  public let updateRule = UpdateRule.adder
  public let engine: CombinationEngine? = CombinationEngine(step: .distance, gradients: .clampedDifferences)
  public let printedStem = "Adder"

  /// The distance.
  public init() {}

  public func term(_ x: Double, _ w: Double) -> Double { -abs(x - w) }
  public func derivatives(_ x: Double, _ w: Double) -> (x: Double, w: Double) {
    (min(max(w - x, -1), 1), x - w)
  }
  public func derivatives(_ x: Double, _ w: Double, decidedAt x0: Double, _ w0: Double) -> (
    x: Double, w: Double
  )? {
    (w0 - x0 > 1 ? 1 : w0 - x0 < -1 ? -1 : w - x, x - w)
  }

  /// A difference and its sum are two additions; the absolute value is not counted. Backward: two products, and a
  /// difference and two comparisons for the clamp.
  public func cost(terms: Int, pass: Cost.Pass) -> Cost {
    pass == .backward ? Cost(macs: 2 * terms, adds: terms, otherOps: 2 * terms) : Cost(adds: 2 * terms)
  }
}

extension AbsoluteDifference: ONNXCombination {
  public func onnxTerms(_ x: ONNXGraph.Value, _ w: ONNXGraph.Value, _ graph: ONNXGraph) -> ONNXGraph.Value {
    graph.node("Neg", [graph.node("Abs", [graph.node("Sub", [x, w])])])
  }
}
