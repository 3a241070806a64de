import Foundation
import Tensors

/// The tables of a sweep.
extension SweepRunner {
  /// Makes the tables of what there is, and does nothing else.
  package func collect(output: String, _ options: Options = Options()) throws -> Outcome {
    if !plan.isComplete, let later = try planned(in: output, options) {
      return try later.collect(output: output, options)
    }
    let (folder, claims) = try enter(output, options)
    defer { claims.leave() }
    let records = try SweepRecords(output)
    var machine = folder.machine ?? .current()
    machine.experiment = experiment
    var outcome = Outcome()
    let failures = RunFailures.all(in: folder)
    let missing = try missing(records, Options())
    outcome.before = plan.runs.count - missing.count
    outcome.failures = missing.compactMap { failures[$0.name] }.filter(\.isGivenUp).map(\.text)
    outcome.left = missing.count { !Self.isRefused($0, records) }
    try makeTables(folder, claims, records, machine, &outcome)
    return outcome
  }

  /// Writes the tables, one process at a time.
  func makeTables(
    _ folder: ResultFolder, _ claims: Claims, _ records: SweepRecords, _ machine: MachineRecord,
    _ outcome: inout Outcome
  ) throws {
    while case .taken = try claims.take(Claims.tables) {
      try Cancellation.check()
      Thread.sleep(forTimeInterval: 0.1)
    }
    defer { claims.release(Claims.tables) }
    var machine = machine
    let names = Set(plan.runs.map(\.name))
    claims.removeDead { records.known[$0] != nil || !names.contains($0) }
    claims.clean()
    folder.removeLeftovers()
    folder.removeRemains { records.known[$0] != nil }
    let tables = SweepTables(plan, records.known, machine)
    outcome.openVerdicts =
      plan.groups.map(\.comparisons.count).reduce(into: (counts: [Int](), first: 0)) {
        let results = tables.results[$0.first..<$0.first + $1]
        $0.counts.append(results.reduce(0) { $0 + $1.openVerdicts })
        $0.first += $1
      }.counts
    outcome.hasVerdicts = tables["networks"]?.rows.contains { !($0["verdict"] ?? "").isEmpty } ?? false
    outcome.problems = tables.results.flatMap(\.problems)
    outcome.disagreement = tables.disagreement
    outcome.summary = tables.summary
    let foreign = plan.runs.count {
      records.known[$0.name].map { $0.timing.build != ProgramBuild.fingerprint } ?? false
    }
    outcome.warnings = records.warnings + remarks(records, foreign)
    // Tables that hold less than those of before wait for the rest.
    guard outcome.left == 0 && !outcome.isCancelled || tables.lost(from: folder) == nil else {
      outcome.warnings.append("The tables in \(folder.path) were not changed.")
      return
    }
    let (written, warnings) = try tables.write(to: folder)
    machine.tables = written
    machine.recordsOfOtherBuilds = foreign > 0 ? foreign : nil
    machine.machines = Self.machines(plan.runs.compactMap { records.known[$0.name] })
    try machine.write(to: folder.path("machine.json"))
    outcome.warnings += warnings
  }

  /// What is to be said of the records that are used, and of those that are not.
  func remarks(_ records: SweepRecords, _ foreign: Int) -> [String] {
    let others = Set(records.known.keys).subtracting(plan.runs.map(\.name)).count
    var remarks = Self.mixture(
      plan.runs.compactMap { run in records.known[run.name].map { (run, $0.timing) } })
    if foreign > 0 {
      remarks.append(
        "\(Self.count(foreign, "record")) \(foreign == 1 ? "was" : "were") made by another build of this program; --rerun repeats these runs, --rerun KERNEL those of a kernel."
      )
    }
    // A run's own, from before a kernel joined it, are of no interest.
    if others > 0, experiment == .sweep {
      remarks.append(
        "\(Self.count(others, "record")) \(others == 1 ? "is" : "are") of runs that the file does not ask for; they are kept, but are not in the tables."
      )
    }
    return remarks
  }

  /// What is to be said of rows that come from different instruction sets or kinds of machines.
  private static func mixture(_ runs: [(run: SweepPlan.Run, timing: SweepRecord.Timing)]) -> [String] {
    var sentences: [String] = []
    let sets = Set(runs.map(\.timing.instructionSet)).sorted()
    if sets.count > 1 {
      sentences.append(
        "Rows come from \(sets.count) instruction sets (\(sets.joined(separator: ", "))), which round differently; see the column isa."
      )
    }
    let kinds = Set(runs.filter(\.run.isTimed).map(\.timing.processor)).sorted()
    if kinds.count > 1 {
      sentences.append(
        "Timings come from \(kinds.count) kinds of machines (\(kinds.joined(separator: ", "))); compare only times of the same kind, by the column host."
      )
    }
    return sentences
  }

  /// The machines that records come from.
  private static func machines(_ records: [SweepRecord]) -> [MachineRecord.Machine] {
    struct Key: Hashable {
      let host: String?, processor: String, cores: Int?, instructionSet: String, commit, build: String?
    }
    let keys = records.map(\.timing).map {
      Key(
        host: $0.host, processor: $0.processor, cores: $0.cores, instructionSet: $0.instructionSet,
        commit: $0.commit, build: $0.build)
    }
    return Dictionary(grouping: keys) { $0 }.map { key, all in
      MachineRecord.Machine(
        host: key.host, processor: key.processor, cores: key.cores, instructionSet: key.instructionSet,
        commit: key.commit, build: key.build, records: all.count)
    }.sorted {
      ($0.host ?? "", $0.build ?? "", $0.commit ?? "") < ($1.host ?? "", $1.build ?? "", $1.commit ?? "")
    }
  }
}
