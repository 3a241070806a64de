import Compute
import Layers

/// The squared distance: y = −Σ (x − w)², with its own derivatives.
///
/// Weights learn at AdderNet's adaptive rate.
public struct SquaredDifference: Combination {
  public let name = "adder-l2"
  public let formula = "−(x − w)²"
  public let reduction = Reduction.sum
  public let initialization = Initialization.normal(deviation: 1)
  public let updateRule = UpdateRule.adder
  public let engine: CombinationEngine? = CombinationEngine(step: .squaredDistance, gradients: .differences)
  public let printedStem = "AdderL2"

  /// The squared distance.
  public init() {}

  public func term(_ x: Double, _ w: Double) -> Double { -(x - w) * (x - w) }
  public func derivatives(_ x: Double, _ w: Double) -> (x: Double, w: Double) { (2 * (w - x), 2 * (x - w)) }
  public func derivatives(_ x: Double, _ w: Double, decidedAt x0: Double, _ w0: Double) -> (
    x: Double, w: Double
  )? { derivatives(x, w) }

  /// A difference and a multiply–accumulate for each term; backward, a product for each gradient, and a difference.
  public func cost(terms: Int, pass: Cost.Pass) -> Cost {
    Cost(macs: pass == .backward ? 2 * terms : terms, adds: terms)
  }
}

extension SquaredDifference: ONNXCombination {
  public func onnxTerms(_ x: ONNXGraph.Value, _ w: ONNXGraph.Value, _ graph: ONNXGraph) -> ONNXGraph.Value {
    let difference = graph.node("Sub", [x, w])
    return graph.node("Neg", [graph.node("Mul", [difference, difference])])
  }
}
