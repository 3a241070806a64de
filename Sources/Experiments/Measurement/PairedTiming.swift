import Tensors

/// Timings of contestants that took turns.
package struct PairedTiming: Sendable {
  /// For each contestant, its milliseconds in each round.
  package let milliseconds: [[Double]]

  /// Lets the contestants take turns (A B C A B C …), so that a drifting machine affects all alike.
  ///
  /// Each first runs once, untimed. A contestant that is faster than a millisecond runs several times a turn.
  ///
  /// - Parameters:
  ///   - budget: approximate seconds for all rounds together; there are at least 3 rounds.
  ///   - most: the largest number of rounds.
  ///   - contestants: each prepares (untimed) and runs (timed).
  package init(budget: Double, most: Int = 15, _ contestants: [(prepare: () -> Void, run: () -> Void)]) throws
  {
    func once(_ contestant: (prepare: () -> Void, run: () -> Void)) -> Double {
      contestant.prepare()
      return ContinuousClock().measure(contestant.run).seconds
    }
    var first: [Double] = []
    for contestant in contestants {
      _ = once(contestant)
      first.append(once(contestant))
      try Cancellation.check()
    }
    let repeats = first.map { max(1, min(20, Int(0.001 / max($0, 1e-9)))) }
    let round = zip(first, repeats).reduce(0) { $0 + $1.0 * Double($1.1) }
    let rounds = max(3, min(most, Int(budget / max(round, 1e-9))))
    var times = contestants.map { _ in [Double]() }
    for _ in 0..<rounds {
      for (index, contestant) in contestants.enumerated() {
        let turn = (0..<repeats[index]).map { _ in once(contestant) }
        times[index].append(1000 * Statistics.median(turn))
        try Cancellation.check()
      }
    }
    milliseconds = times
  }

  /// The median over the rounds of the first contestant's time over another's, of the same round.
  package func speedup(_ contestant: Int) -> Double {
    Statistics.median(zip(milliseconds[0], milliseconds[contestant]).map { $0 / $1 })
  }
}
