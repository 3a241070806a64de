/// How far computed values are from wanted ones.
public struct Deviation: CustomStringConvertible {
  /// The largest absolute difference; infinite where a value is not a number, or where one is missing.
  public let error: Double
  /// The largest absolute value that is wanted; at least a given one, so that values that should vanish may keep a rounding.
  public let scale: Double

  /// Compares value by value.
  public init(of found: [Float], from wanted: [Double], atLeast least: Double = 0.1) {
    scale = wanted.reduce(least) { max($0, abs($1)) }
    var largest = found.count == wanted.count ? 0.0 : .infinity
    for (a, b) in zip(found, wanted) {
      let difference = abs(Double(a) - b)
      // A comparison with what is not a number is false, so it must not decide alone.
      largest = difference.isNaN ? .infinity : max(largest, difference)
    }
    error = largest
  }

  /// Whether the error is at most this part of the scale.
  public func isWithin(_ tolerance: Double) -> Bool { error <= tolerance * scale }

  public var description: String { "off by \(error) of \(scale)" }
}
