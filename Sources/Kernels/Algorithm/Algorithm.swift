import Layers
import Tensors

/// The operation that an algorithm is to compute: where it reads and how it combines, without the arrays.
public struct Operation: Sendable {
  /// The geometry.
  public let geometry: ConvolutionGeometry
  /// How x and w are combined.
  public let combination: any Combination
  /// Whether it reads the geometry's own grid.
  public let readsRegularGrid: Bool

  /// An operation.
  public init(_ geometry: ConvolutionGeometry, _ combination: any Combination, readsRegularGrid: Bool = true)
  {
    self.geometry = geometry
    self.combination = combination
    self.readsRegularGrid = readsRegularGrid
  }
}

/// A way to compute an operation: the last of an operator's four answers. Algorithms differ in speed and rounding, never
/// in meaning.
///
/// To add one, write it in one file and put it into ``Algorithms/builtIn``.
public protocol Algorithm: Sendable {
  /// Its name on the command line and in tables.
  var name: String { get }

  /// Whether sums of small whole numbers are exact.
  var isExactOnIntegers: Bool { get }

  /// Whether it is the definition itself, the oracle of the others; no more than one of a list is.
  var isDefinition: Bool { get }

  /// Why it cannot compute a pass over an input of this shape, in one sentence, or nil if it can. Without a shape:
  /// why it cannot for any input.
  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String?

  /// An estimate of a pass's time on one thread, in nanoseconds; called only if it does not refuse.
  ///
  /// `auto` takes the algorithm with the smallest estimate. The estimate depends only on the arguments, so that the
  /// same seed gives the same bits. It is infinite if the algorithm is never worthwhile.
  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double

  /// Makes the code for the passes that are not refused.
  func make(_ operation: Operation) -> any ConvolutionPasses
}

/// The passes of an algorithm for one operation. Those that its algorithm refuses are never called.
public protocol ConvolutionPasses: AnyObject {
  /// Computes y from x, which is read at the plan's positions. The shapes have been checked, and a normalisation is
  /// part of the filter.
  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor

  /// Computes dx from g = dy, plus the summand if there is one. The plan keeps the gradients to its positions.
  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor

  /// Computes dw from g = dy and x.
  func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor
}

extension Algorithm {
  public var isExactOnIntegers: Bool { false }
  public var isDefinition: Bool { false }
}

extension ConvolutionPasses {
  public func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor { preconditionFailure("its algorithm refuses this pass") }

  public func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor { preconditionFailure("its algorithm refuses this pass") }
}
