import Layers
import Tensors

/// Computes a filter from learned weights of the same shape, in double precision: all that ``TransformedWeights``
/// needs.
///
/// Arrays are HWIO, `[kernel height, kernel width, input channels / groups, output channels]`.
public protocol FilterTransform: Sendable {
  /// The filter.
  func filter(_ w: Tensor64) -> Tensor64

  /// The gradient to the learned weights, from the gradient to the filter.
  func gradient(_ w: Tensor64, _ gradient: Tensor64) -> Tensor64

  /// The cost of `count` products with the filter's values, for a number of outputs; by default that of ordinary
  /// products.
  func productCost(count: Int, outputs: Int, pass: Cost.Pass) -> Cost

  /// The cost of computing a filter in training, or, backward, its gradient. In inference it is computed once, which
  /// is not counted.
  func makingCost(_ shape: [Int], backward: Bool) -> Cost

  /// What precedes `Conv2d` in PyTorch's printed notation.
  var printedPrefix: String { get }
}

extension FilterTransform {
  public func productCost(count: Int, outputs: Int, pass: Cost.Pass) -> Cost {
    Product().cost(terms: count, pass: pass)
  }
}

/// A quantised filter whose gradient is passed to the learned weights by a straight-through estimator (Bengio et al.,
/// 2013, arXiv:1308.3432).
public protocol StraightThrough: FilterTransform {
  /// The factor on each weight's gradient.
  func slopes(_ w: Tensor64) -> Tensor64
}

extension StraightThrough {
  public func gradient(_ w: Tensor64, _ gradient: Tensor64) -> Tensor64 { slopes(w) * gradient }

  /// The whole gradient.
  public func slopes(_ w: Tensor64) -> Tensor64 { Tensor64(repeating: 1, w.shape) }

  /// For filters of ±1 and a scale for each output: an addition for each product, and one product for each output.
  /// Backward, the gradient to the filter needs ordinary products.
  public func additionCost(count: Int, outputs: Int, pass: Cost.Pass) -> Cost {
    Cost(macs: pass == .backward ? count : 0, adds: count, otherOps: outputs)
  }
}

extension Tensor64 {
  /// The elementwise product; both shapes must be equal.
  public static func * (a: Tensor64, b: Tensor64) -> Tensor64 {
    precondition(a.shape == b.shape, "cannot multiply \(a.shape) and \(b.shape)")
    return Tensor64(zip(a.values, b.values).map { $0 * $1 }, a.shape)
  }

  /// The sum of some values' magnitudes, and how many there are: of those above a threshold, if there is one.
  public static func magnitudes(
    _ positions: StrideTo<Int>, of values: [Double], above threshold: Double? = nil
  ) -> (sum: Double, count: Double) {
    var sum = 0.0, count = 0.0
    for position in positions {
      let magnitude = abs(values[position])
      if threshold.map({ magnitude > $0 }) ?? true { (sum, count) = (sum + magnitude, count + 1) }
    }
    return (sum, count)
  }

  /// An HWIO filter computed output by output: `make` gets the index of an output and the positions of its weights.
  public func byOutput(_ make: (_ positions: StrideTo<Int>, _ result: inout [Double]) -> Void) -> Tensor64 {
    var result = values
    let outputs = shape[3]
    for output in 0..<outputs { make(stride(from: output, to: values.count, by: outputs), &result) }
    return Tensor64(result, shape)
  }
}
