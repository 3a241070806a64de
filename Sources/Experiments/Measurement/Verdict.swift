/// The result of comparing a network with the standard one.
package enum Verdict: String, Sendable {
  /// Significantly more accurate.
  case better
  /// Significantly less accurate.
  case worse
  /// Significantly less than a margin apart.
  case equivalent
  /// There are too few trainings or images to decide.
  case open

  /// The default of the largest difference that counts as equivalent, in points of accuracy.
  package static let margin = 1.0
  /// The differences that may be given instead.
  package static let margins = 0.001...100.0
  /// At most this is the probability that any better or worse in a table is wrong, and that any equivalent is.
  package static let level = 0.05

  /// The verdicts on the networks of a table, each with the probability of its difference from none; both are
  /// corrected for the number of networks (Holm, 1979). What has no interval has no verdict.
  ///
  /// - Parameters:
  ///   - margin: the largest difference that counts as equivalent, in points of accuracy.
  ///   - looks: how often the table may be looked at before the last seeds are trained; each look is one more chance
  ///     to be wrong, and probabilities are multiplied by their number (Bonferroni).
  package static func verdicts(
    _ differences: [AccuracyDifference?], margin: Double = Self.margin, looks: Int = 1
  ) -> [(verdict: Verdict, probability: Double)?] {
    func corrected(_ probabilities: [Double?]) -> [Double?] {
      Statistics.holm(probabilities).map { $0.map { min(1, Double(looks) * $0) } }
    }
    let different = corrected(differences.map { $0?.probability })
    let alike = corrected(differences.map { $0?.probability(beyond: margin) })
    return differences.indices.map { index in
      guard let different = different[index], let alike = alike[index], let mean = differences[index]?.mean
      else { return nil }
      let verdict: Verdict =
        alike < level ? .equivalent : different >= level ? .open : mean > 0 ? .better : .worse
      return (verdict, different)
    }
  }
}

extension Statistics {
  /// Probabilities corrected for their number: each that stays below a level may be called significant there, and the
  /// probability that any of these calls is wrong is at most the level (Holm, 1979, "A simple sequentially rejective
  /// multiple test procedure").
  ///
  /// Those that are missing stay so, and do not count.
  package static func holm(_ probabilities: [Double?]) -> [Double?] {
    let known = probabilities.enumerated().compactMap { index, value in
      value.map { (index: index, value: $0) }
    }
    var result = probabilities, largest = 0.0
    for (place, entry) in known.sorted(by: { $0.value < $1.value }).enumerated() {
      largest = max(largest, min(1, Double(known.count - place) * entry.value))
      result[entry.index] = largest
    }
    return result
  }
}
