/// What one forward pass costs, counted exactly and by kind.
public struct Cost: Hashable, Sendable, Codable {
  /// Numbers that training changes.
  public var parameters = 0
  /// Multiply–accumulates.
  public var macs = 0
  /// Additions and subtractions outside multiply–accumulates (an absolute difference and its sum are two).
  public var adds = 0
  /// Everything else, by operation: comparisons, roundings, bilinear sample weights, FFT butterflies, …
  public var otherOps = 0
  /// Bytes of the inputs, parameters and outputs, each touched once.
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

  /// The cost of so many passes; the parameters are the same.
  public func times(_ passes: Int) -> Cost {
    Cost(
      parameters: parameters, macs: passes * macs, adds: passes * adds, otherOps: passes * otherOps,
      bytes: passes * bytes)
  }

  /// Floating-point operations: two for a multiply–accumulate, one for everything else.
  public var operations: Int { 2 * macs + adds + otherOps }
}
