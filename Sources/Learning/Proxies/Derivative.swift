import Foundation

/// The derivative of a smooth function at 0, by central differences of halved steps, extrapolated to step 0 (C. J. F.
/// Ridders, 1982, Advances in Engineering Software 4(2)): of all extrapolations, the one of the smallest error.
struct Derivative {
  private(set) var value = Double.nan
  /// An estimate of truncation and rounding: how far the value is from the two that it was made from, or the noise of the
  /// differences if that is more. Two extrapolations of noise may agree by chance.
  private(set) var error = Double.infinity

  /// - Parameters:
  ///   - step: the largest.
  ///   - halvings: how often it is halved at most. Where noise is more than the error so far, it ends.
  ///   - samples: how many differences, of nearly equal steps, each step takes the mean of: noise shrinks by the root.
  ///   - tolerance: the relative error that is small enough.
  init(
    of function: (Double) -> Double, step: Double = 0.25, halvings: Int = 8, samples: Int = 1,
    tolerance: Double
  ) {
    func differences(_ step: Double, _ number: Int) -> [Double] {
      (0..<number).map { index in
        let t = step * (1 + Double(index) / 64)
        return (function(t) - function(-t)) / (2 * t)
      }
    }
    let small = step / 8
    // The noise of differences goes with the inverse of the step.
    let noise = Self.noise(differences(small, 6)) * small / Double(samples).squareRoot()
    var last: [Double] = []
    for number in 0...halvings {
      let t = scalbn(step, -number)
      guard error > max(tolerance * abs(value), noise / t) || value.isNaN else { break }
      var row = [differences(t, samples).reduce(0, +) / Double(samples)], factor = 1.0
      for (order, old) in last.enumerated() {
        factor *= 4
        let next = row[order] + (row[order] - old) / (factor - 1)
        let distance = max(abs(next - row[order]), abs(next - old), noise / t)
        row.append(next)
        if distance < error { (value, error) = (next, distance) }
      }
      last = row
    }
  }

  /// Twice the standard deviation of noise on values of a smooth function at equal distances: third differences leave
  /// nothing of the function, and 20 times the variance of the noise.
  static func noise(_ values: [Double]) -> Double {
    var values = values
    for _ in 0..<3 { values = zip(values.dropFirst(), values).map(-) }
    return 2 * (values.reduce(0) { $0 + $1 * $1 } / Double(values.count) / 20).squareRoot()
  }
}
