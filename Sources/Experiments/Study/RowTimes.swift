/// Times over several rounds.
package struct RowTimes: Sendable {
  /// Milliseconds of each round; empty if it was not timed.
  package var milliseconds: [Double] = []
  /// The median over the rounds of standard's time over this one's; NaN if it was not timed.
  package var speedup = Double.nan

  /// The median time; NaN if it was not timed.
  package var median: Double { Statistics.median(milliseconds) }
  /// The median distance from it.
  package var deviation: Double { Statistics.medianAbsoluteDeviation(milliseconds) }
}

extension PairedTiming {
  /// The times of one contestant.
  func times(_ contestant: Int) -> RowTimes {
    RowTimes(milliseconds: milliseconds[contestant], speedup: speedup(contestant))
  }
}

/// A row that is the same on every repetition except for its times, which are coded apart from it.
protocol TimedRow: Codable {
  var times: RowTimes { get set }
}
