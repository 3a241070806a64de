import Tensors

/// A layer whose passes can be computed by several algorithms.
public protocol ChoosesAlgorithm: Layer {
  /// The algorithm that computes a pass over an input that has passed `outputShape`.
  func algorithm(for input: FeatureShape, _ pass: Pass, _ context: Context) -> String?

  /// Why an algorithm cannot compute the output for an input that has passed `outputShape`, or nil if it can.
  func refusal(of algorithm: String, for input: FeatureShape) -> String?

  /// Whether an algorithm computes sums of small whole numbers exactly.
  func isExactOnIntegers(_ algorithm: String) -> Bool
}
