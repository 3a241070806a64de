import Foundation

/// How often a new training of one network is more accurate than a new training of another, both tested on the same
/// new images: P(A > B), the probability of outperforming (Bouthillier et al., 2021, arXiv:2103.03098).
package struct Superiority: Sendable {
  /// The probability, from 0 to 1.
  package let mean: Double
  /// Its 95 % interval.
  package let interval: ClosedRange<Double>
}

extension AccuracyDifference {
  /// The probability of outperforming: Φ(difference / deviation), where the deviation is that of the difference
  /// between two single trainings on one test set. Its interval is the same function of the difference's interval, so
  /// it contains a half if that contains zero. Nil below two trainings.
  package var superiority: Superiority? {
    guard let deviation = chance?.single.squareRoot(), deviation > 0, let interval else { return nil }
    func share(_ difference: Double) -> Double { 0.5 * erfc(-difference / deviation / 2.0.squareRoot()) }
    return Superiority(mean: share(centre), interval: share(interval.lowerBound)...share(interval.upperBound))
  }
}
