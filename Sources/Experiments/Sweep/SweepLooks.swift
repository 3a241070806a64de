import Foundation
import Tensors

/// Runs a sweep look by look.
package struct SweepLooks {
  private let sweep: Sweep
  private let threads: Int
  /// After this long no look is begun that has something to train.
  private let budget: Duration?

  /// A sweep to which seeds may be added.
  ///
  /// - Parameter minutes: after this number of minutes, no look is begun that has something to train; nil for no limit.
  package init(_ sweep: Sweep, threads: Int, minutes: Double?) {
    self.sweep = sweep.apart
    self.threads = threads
    budget = minutes.map { .seconds(60 * $0) }
  }

  /// What is missing of the first look; see ``SweepRunner/list(output:_:)``.
  package func list(output: String, _ options: SweepRunner.Options) throws -> (
    text: String, runs: CSVTable, warnings: [String]
  ) {
    try runner(at: sweep.groups.map { _ in 0 }).list(output: output, options)
  }

  /// Runs looks until all verdicts are decided, the seeds are as many as they may be, or time is up.
  ///
  /// - Parameter onLook: told in a sentence why a further look follows.
  package func run(
    output: String, _ options: SweepRunner.Options, onLook: (String) -> Void
  ) throws -> SweepRunner.Outcome {
    let start = ContinuousClock.now
    var looks = sweep.groups.map { _ in 0 }, options = options
    var done = 0, before: Int?
    while true {
      var outcome = try runner(at: looks).run(output: output, options)
      options.force = false
      done += outcome.now
      before = before ?? outcome.before
      let open = outcome.openVerdicts
      outcome.before = before ?? 0
      outcome.now = done
      guard sweep.addsSeeds, !outcome.isCancelled else { return outcome }
      let undecided = sweep.groups.indices.filter { open[$0] > 0 }
      let next = undecided.filter { looks[$0] + 1 < sweep.groups[$0].until?.looks.count ?? 0 }
      let count = undecided.reduce(0) { $0 + open[$1] }
      for group in next { looks[group] += 1 }
      let isLate =
        try budget.map { ContinuousClock.now - start >= $0 } ?? false
        && !runner(at: looks).isDone(in: output, options)
      if next.isEmpty || isLate {
        outcome.warnings.append(
          outcome.hasVerdicts
            ? Self.end(count, isLate: isLate && !next.isEmpty)
            : "There is no verdict for seeds to decide: verdicts compare classifiers with standard.")
        return outcome
      }
      let seeds = Set(next.compactMap { group in sweep.groups[group].until?.looks[looks[group]] }).sorted()
      onLook(
        "\(Self.verdicts(count)) open; training up to \(seeds.map(String.init).joined(separator: " and ")) seeds."
      )
    }
  }

  private func runner(at looks: [Int]) throws -> SweepRunner {
    try SweepRunner(sweep.at(looks), threads: threads)
  }

  private static func verdicts(_ count: Int) -> String { "\(count) verdict\(count == 1 ? " is" : "s are")" }

  private static func end(_ open: Int, isLate: Bool) -> String {
    open == 0
      ? "Every verdict is decided."
      : "\(verdicts(open)) still open: \(isLate ? "the time of --budget is up" : "the number of seeds has reached --most-seeds"). More seeds help until the number of test images is the limit."
  }
}
