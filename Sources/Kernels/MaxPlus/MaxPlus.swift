import Compute
import Layers

/// The tropical product: y = max over terms of x + w, a grey-scale dilation by a learned structuring element.
///
/// Padding counts as zeros, as it does for all combinations. The gradient goes to the first term that attains the
/// maximum, in the order of taps, then channels.
public struct MaxPlus: Combination {
  public let name = "max-plus"
  public let formula = "x + w"
  public let reduction = Reduction.maximum
  public let initialization = Initialization.normal(deviation: 1)
  public let engine: CombinationEngine? = CombinationEngine(step: .largestSum, gradients: .largestTerm)
  public let printedStem = "MaxPlus"

  /// The tropical product.
  public init() {}

  public func term(_ x: Double, _ w: Double) -> Double { x + w }
  public func derivatives(_ x: Double, _ w: Double) -> (x: Double, w: Double) { (1, 1) }
  public func derivatives(_ x: Double, _ w: Double, decidedAt x0: Double, _ w0: Double) -> (
    x: Double, w: Double
  )? { (1, 1) }

  /// A sum is an addition, a comparison another operation. Backward, the largest is found again for each of the two
  /// gradients; what an output then passes on, two additions, is not counted.
  public func cost(terms: Int, pass: Cost.Pass) -> Cost {
    let times = pass == .backward ? 2 : 1
    return Cost(adds: times * terms, otherOps: times * terms)
  }
}

extension MaxPlus: ONNXCombination {
  public func onnxTerms(_ x: ONNXGraph.Value, _ w: ONNXGraph.Value, _ graph: ONNXGraph) -> ONNXGraph.Value {
    graph.node("Add", [x, w])
  }
}
