import Foundation
import Tensors

/// The progress of a sweep that other processes work on.
package struct SweepStatus {
  /// The runs with a record, those in progress, those given up, and the others.
  package private(set) var done = 0, running = 0, failed = 0, missing = 0
  /// All of it, for people.
  package private(set) var text = ""

  /// The numbers as a row.
  package var table: CSVTable {
    CSVTable(
      [self],
      [
        Column<SweepStatus>("done") { $0.done }, Column("running") { $0.running },
        Column("failed") { $0.failed }, Column("missing") { $0.missing },
      ])
  }

  /// Looks at a folder; changes nothing. Records are counted by their names; of trainings that differ by the seed alone,
  /// two are read for the estimate.
  init(_ plan: SweepPlan, _ output: String, _ threads: Int) throws {
    let folder = ResultFolder(output), names = Set(SweepRecords.names(in: output))
    var sample = Set<String>(), counts: [[String: String]: Int] = [:]
    for run in plan.runs where names.contains(run.name) {
      let kind = SweepEstimates.kind(run)
      counts[kind, default: 0] += 1
      if counts[kind, default: 0] <= 2 { sample.insert(run.name) }
    }
    let records = try SweepRecords(output, where: sample.contains)
    let failures = RunFailures.all(in: folder)
    let claims = Dictionary(Claims.all(in: folder).map { ($0.name, $0.holder) }) { $1 }
    let wanted = plan.runs.filter { !SweepRunner.isRefused($0, records) }
    var lines: [String] = [], left: [SweepPlan.Run] = [], trained = 0
    for run in wanted {
      if names.contains(run.name) {
        done += 1
      } else if let holder = claims[run.name], !holder.isDead {
        running += 1
        trained += run.isTraining ? 1 : 0
        left.append(run)
        lines.append("running  \(run.label), on \(holder.worker.text)")
      } else if let failure = failures[run.name], failure.isGivenUp {
        failed += 1
        lines.append("failed   \(failure.text)")
      } else {
        missing += 1
        left.append(run)
      }
    }
    lines.append(
      "\(wanted.count) runs: \(done) done, \(running) running, \(failed) failed, \(missing) missing.")
    let estimates = SweepEstimates(plan, records), times = left.compactMap(estimates.duration)
    let places = max(trained, trained == 0 ? threads : 1)
    if left.isEmpty {
      lines.append(
        failed == 0
          ? "Nothing is left to do." : "Nothing else is left to do; --retry tries failed runs again.")
    } else if times.isEmpty {
      lines.append(
        left.contains(where: \.isTraining)
          ? "No training has finished yet, so the time left is unknown."
          : "Only timings are left; how long they take is not estimated.")
    } else {
      let rest = max(times.reduce(0, +) / Double(places), times.max() ?? 0)
      lines.append(
        "About \(ProgressLine.duration(rest)) left with \(places) trainings at a time\(trained == 0 ? ", once a process works on them" : "")."
      )
    }
    if !plan.isComplete { lines.append("Which others follow depends on their outcome.") }
    text = lines.joined(separator: "\n")
  }
}

extension SweepRunner {
  /// How far the sweep in a folder is.
  package func status(output: String) throws -> SweepStatus {
    if !plan.isComplete, let later = try planned(in: output, Options()) {
      return try later.status(output: output)
    }
    return try SweepStatus(plan, output, threads)
  }
}
