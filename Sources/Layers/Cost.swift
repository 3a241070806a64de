/// What one pass costs, counted exactly and by kind.
public struct Cost: Hashable, Sendable, Codable {
  /// Numbers that training changes.
  public var parameters = 0
  /// Multiply–accumulates.
  public var macs = 0
  /// Additions and subtractions outside multiply–accumulates (an absolute difference and its sum are two).
  public var adds = 0
  /// Everything else, by operation: comparisons, roundings, bilinear sample weights, FFT butterflies, …
  public var otherOps = 0
  /// Bytes of the arrays that are read and written, each touched once. Backward, the gradients to a convolution's input
  /// and to its weights each touch three arrays.
  public var bytes = 0

  /// A cost of the given counts.
  public init(parameters: Int = 0, macs: Int = 0, adds: Int = 0, otherOps: Int = 0, bytes: Int = 0) {
    self.parameters = parameters
    self.macs = macs
    self.adds = adds
    self.otherOps = otherOps
    self.bytes = bytes
  }

  /// The cost of both.
  public static func + (a: Cost, b: Cost) -> Cost {
    Cost(
      parameters: a.parameters + b.parameters, macs: a.macs + b.macs, adds: a.adds + b.adds,
      otherOps: a.otherOps + b.otherOps, bytes: a.bytes + b.bytes)
  }

  /// The passes that are counted.
  public enum Pass: Sendable, CaseIterable {
    /// The forward pass in inference.
    case inference
    /// The forward pass in training.
    case forward
    /// The backward pass: the gradients to the input and to the parameters.
    case backward
  }

  /// Floating-point operations: two for a multiply–accumulate, one for everything else.
  public var operations: Int { 2 * macs + adds + otherOps }
}
