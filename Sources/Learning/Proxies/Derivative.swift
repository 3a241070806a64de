import Foundation

/// The derivative of a smooth function at 0, by central differences of halved steps, extrapolated to step 0 (C. J. F.
/// Ridders, 1982, Advances in Engineering Software 4(2)): of all extrapolations, the one that agrees best with the two
/// that it was made from.
struct Derivative {
  private(set) var value = Double.nan
  /// How far the farther of these is: an estimate of truncation and rounding together.
  private(set) var error = Double.infinity

  /// - Parameters:
  ///   - step: the largest.
  ///   - halvings: how often it is halved at most.
  ///   - tolerance: the relative error that is small enough.
  init(of function: (Double) -> Double, step: Double = 0.25, halvings: Int = 8, tolerance: Double) {
    var last: [Double] = []
    for number in 0...halvings where error.isInfinite || error > tolerance * abs(value) {
      let t = scalbn(step, -number)
      var row = [(function(t) - function(-t)) / (2 * t)], factor = 1.0
      for (order, old) in last.enumerated() {
        factor *= 4
        let next = row[order] + (row[order] - old) / (factor - 1)
        let distance = max(abs(next - row[order]), abs(next - old))
        row.append(next)
        if distance < error { (value, error) = (next, distance) }
      }
      last = row
    }
  }
}
