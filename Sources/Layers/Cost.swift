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

  /// Reads exact counts: not negative, and at most 2⁵³, up to which other programs read JSON's numbers exactly.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func count(_ key: CodingKeys) throws -> Int {
      let value = try container.decode(Int.self, forKey: key)
      guard (0...1 << 53).contains(value) else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: container, debugDescription: "a count of \(value)")
      }
      return value
    }
    try self.init(
      parameters: count(.parameters), macs: count(.macs), adds: count(.adds), otherOps: count(.otherOps),
      bytes: count(.bytes))
  }

  /// The cost of both.
  public static func + (a: Cost, b: Cost) -> Cost {
    Cost(
      parameters: sum(a.parameters, b.parameters), macs: sum(a.macs, b.macs), adds: sum(a.adds, b.adds),
      otherOps: sum(a.otherOps, b.otherOps), bytes: sum(a.bytes, b.bytes))
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
  public var operations: Int { Self.sum(Self.product(2, macs), Self.sum(adds, otherOps)) }

  // Counts are 0 or more. A count that overflows becomes the largest Int, which no real work comes near.

  private static func sum(_ a: Int, _ b: Int) -> Int {
    let (value, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : value
  }

  private static func product(_ a: Int, _ b: Int) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? .max : value
  }
}
