import Foundation
import Kernels
import Layers
import Learning
import Synchronization
import Tensors

/// Does what is missing of a sweep, and derives its tables.
package struct SweepRunner: Sendable {
  /// What is done beside what is missing.
  package struct Options: Sendable {
    /// Whether what the folder holds is thrown away first.
    package var force = false
    /// The kernels whose records are made again if they are of another build of the program; empty for all, nil for none.
    package var rerun: [String]?

    /// Options.
    package init(force: Bool = false, rerun: [String]? = nil) {
      self.force = force
      self.rerun = rerun
    }
  }

  /// What a sweep came to.
  package struct Outcome {
    /// How many runs were done before, are done now, and are left.
    package var before = 0, now = 0, left = 0
    /// What the user should know, one sentence each.
    package var warnings: [String] = []
    /// Runs that were refused or failed.
    package var problems: [Results.Problem] = []
    /// Whether the user stopped it.
    package var isCancelled = false
    /// The results for people.
    package var summary = ""
    /// One sentence if an operator computes something else than its definition.
    package var disagreement: String?
    /// How many verdicts are open, by group of the sweep.
    var openVerdicts: [Int] = []

    /// What was stopped, and how to resume it.
    package var stop: Cancellation.Requested {
      Cancellation.Requested("Stopped: \(now) runs were done, \(left) are left; the same command resumes.")
    }
  }

  private let sweep: Sweep
  private var plan: SweepPlan
  private let experiment: MachineRecord.Experiment
  private let threads: Int

  /// A runner of a sweep.
  ///
  /// - Parameter threads: of timed operators and networks, and how many networks are trained at the same time.
  package init(_ sweep: Sweep, threads: Int) throws {
    self.sweep = sweep
    plan = try SweepPlan(sweep, threads: threads)
    experiment = sweep.experiment
    self.threads = threads
  }

  /// The runs and which of them are done; changes nothing.
  package func list(output: String, _ options: Options = Options()) throws -> (
    text: String, warnings: [String]
  ) {
    if !plan.isComplete, let later = try planned(in: output, options) {
      return try later.list(output: output, options)
    }
    let records = try SweepRecords(output), missing = Set(try missing(records, options).map(\.name))
    typealias Column = Experiments.Column<SweepPlan.Run>
    let table = TextTable(
      plan.runs,
      [
        Column("record") { $0.name },
        Column("state") { run in
          !missing.contains(run.name) ? "done" : Self.isRefused(run, records) ? "refused" : "to do"
        }, Column("kind") { $0.definition["kind"] ?? "" }, Column("run") { $0.label },
      ], left: [0, 1, 2, 3])
    let done = plan.runs.count - missing.count
    let rest = plan.isComplete ? "" : " What they choose says which others follow."
    let counts = plan.spaceCounts + ["\(plan.runs.count) runs, of which \(done) are done.\(rest)"]
    return ("\(table.text)\n\n\(counts.joined(separator: "\n"))", records.warnings)
  }

  /// The runner whose plan has the rates and widths that records of the folder say; nil if they say no more than this
  /// one's plan has.
  private func planned(in output: String, _ options: Options) throws -> SweepRunner? {
    guard !options.force else { return nil }
    var later = self
    later.plan = try SweepPlan(sweep, threads: threads, SweepRecords(output).known)
    return later.plan.runs.map(\.name) == plan.runs.map(\.name) ? nil : later
  }

  /// Does what is missing, and then what follows from it: first what chooses rates and widths, then what is made with them.
  ///
  /// - Throws: a ``WorkbenchError`` if the folder is somebody else's, or results in it would be lost.
  package func run(output: String, _ options: Options = Options()) throws -> Outcome {
    var runner = try plan.isComplete ? self : planned(in: output, options) ?? self
    var options = options, done = 0, before: Int?
    while true {
      var outcome = try runner.runPlanned(output: output, options)
      options.force = false
      done += outcome.now
      before = before ?? outcome.before
      (outcome.now, outcome.before) = (done, before ?? 0)
      guard !outcome.isCancelled, !runner.plan.isComplete,
        let later = try runner.planned(in: output, options)
      else { return outcome }
      runner = later
    }
  }

  /// Does what is missing of the plan, keeps each run as it ends, and writes the tables of what there is.
  ///
  /// - Throws: a ``WorkbenchError`` if the folder is somebody else's, or results in it would be lost.
  private func runPlanned(output: String, _ options: Options) throws -> Outcome {
    var folder = ResultFolder(output)
    if !options.force { try check(folder) }
    try folder.make()
    let lock = try FolderLock(folder)
    defer { withExtendedLifetime(lock) {} }
    // Somebody may have been here until now.
    folder = ResultFolder(output)
    if options.force {
      folder.clear()
      folder = ResultFolder(output)
    } else {
      try check(folder)
    }
    folder.removeLeftovers()
    let kept = try SweepRecords(output), missing = try missing(kept, options)
    // Where nothing is left to run, what describes the machine is what was there.
    var machine = missing.isEmpty ? folder.machine ?? .current() : .current()
    machine.experiment = experiment
    if folder.machine == nil { try machine.write(to: folder.path("machine.json")) }
    let keeper = RecordKeeper(kept)
    var outcome = Outcome()
    do {
      try measure(missing, machine, keeper)
      outcome.isCancelled = try train(missing, machine, keeper)
    } catch is Cancellation.Requested {
      outcome.isCancelled = true
    }
    let records = keeper.records
    outcome.now = keeper.count
    outcome.before =
      plan.runs.count { kept.known[$0.name] != nil } - missing.count { kept.known[$0.name] != nil }
    outcome.left = missing.count { !Self.isRefused($0, records) } - outcome.now
    let tables = SweepTables(plan, records.known, machine)
    outcome.openVerdicts =
      plan.groups.map(\.comparisons.count).reduce(into: (counts: [Int](), first: 0)) {
        let results = tables.results[$0.first..<$0.first + $1]
        $0.counts.append(results.reduce(0) { $0 + $1.openVerdicts })
        $0.first += $1
      }.counts
    outcome.problems = tables.results.flatMap(\.problems)
    outcome.disagreement = tables.disagreement
    outcome.summary = tables.summary
    let foreign = plan.runs.count {
      records.known[$0.name].map { $0.timing.build != ProgramBuild.fingerprint } ?? false
    }
    outcome.warnings = records.warnings + remarks(records, foreign)
    // Tables that hold less than those of before wait for the rest.
    guard !outcome.isCancelled || tables.lost(from: folder) == nil else {
      outcome.warnings.append("The tables in \(output) are still those of before.")
      return outcome
    }
    let (written, warnings) = try tables.write(to: folder)
    machine.tables = written
    machine.recordsOfOtherBuilds = foreign > 0 ? foreign : nil
    try machine.write(to: folder.path("machine.json"))
    outcome.warnings += warnings
    return outcome
  }

  private func check(_ folder: ResultFolder) throws {
    try folder.check(experiment)
    guard experiment == .run, let machine = folder.machine else { return }
    try folder.check(SweepTables(plan, SweepRecords(folder.path).known, machine, isForecast: true))
  }

  /// What is to be done: what has no record, and what is to be made again.
  private func missing(_ records: SweepRecords, _ options: Options) throws -> [SweepPlan.Run] {
    let kernels = plan.runs.flatMap(\.kernels)
    func concerns(_ item: String, _ name: String) -> Bool {
      item == name || item.split(whereSeparator: ":+=".contains).contains(Substring(name))
    }
    for name in options.rerun ?? [] where !kernels.contains(where: { concerns($0, name) }) {
      throw WorkbenchError(
        "There is no run of ‘\(name)’ to be made again; choose from the kernels compared here.")
    }
    return plan.runs.filter { run in
      guard let record = records.known[run.name] else { return true }
      guard let names = options.rerun, record.timing.build != ProgramBuild.fingerprint else { return false }
      return names.isEmpty || names.contains { name in run.kernels.contains { concerns($0, name) } }
    }
  }

  /// What is to be said of the records that are used, and of those that are not.
  private func remarks(_ records: SweepRecords, _ foreign: Int) -> [String] {
    let others = Set(records.known.keys).subtracting(plan.runs.map(\.name)).count
    var remarks: [String] = []
    if foreign > 0 {
      remarks.append(
        "\(Self.count(foreign, "record")) \(foreign == 1 ? "was" : "were") made by another build of this program; --rerun makes them again, --rerun KERNEL those of a kernel."
      )
    }
    // A run's own, from before a kernel joined it, are of no interest.
    if others > 0, experiment == .sweep {
      remarks.append(
        "\(Self.count(others, "record")) \(others == 1 ? "is" : "are") of runs that the file does not ask for; they are kept, but in no table."
      )
    }
    return remarks
  }

  private static func count(_ number: Int, _ thing: String) -> String {
    "\(number) \(thing)\(number == 1 ? "" : "s")"
  }

  /// Whether a run is a training of a kernel that the model's measurement found to be refused.
  private static func isRefused(_ run: SweepPlan.Run, _ records: SweepRecords) -> Bool {
    guard case .training(_, let choice, _, let network) = run.work else { return false }
    return records.known[network]?.result.networks?
      .contains { $0.kernel == choice.item && $0.refusal != nil } ?? false
  }

  /// Times operators and networks, and measures receptive fields, one run after the other.
  private func measure(
    _ missing: [SweepPlan.Run], _ machine: MachineRecord, _ keeper: RecordKeeper
  ) throws {
    let timed = missing.filter { if case .training = $0.work { false } else { true } }
    guard !timed.isEmpty else { return }
    let progress = ProgressLine("measurements", total: timed.count)
    defer { progress.finish() }
    for run in timed {
      try Cancellation.check()
      progress.show(run.label)
      var record = SweepRecord(run, machine)
      switch run.work {
      case .operators(let line, let plan):
        var study = OperatorStudy(plan)
        switch line.problem {
        case .success(let problem): try study.run(problem, nil)
        case .failure(let unsupported): study.add(unsupported: line.text, unsupported.description)
        }
        record.keep(study.rows, as: \.operators)
      case .network(let specification, let seconds, let withProxies):
        var study = NetworkStudy(specification)
        try study.measure(seconds: seconds, withProxies: withProxies)
        record.keep(study.rows, as: \.networks)
      case .layers(let specification):
        record.keep(try NetworkStudy(specification).layers(), as: \.layers)
      case .field(let settings, let kernel):
        record.result.field = try FieldStudy([kernel], settings.plan(threads: threads)) { kernel, seed in
          try settings.stack(kernel, seed: seed)
        }.rows.first
      case .match(let specification, let model, let budget):
        record.result.widths = try specification.matchedWidths(model, budget)
      case .training: continue
      }
      try keeper.add(record)
      progress.advance(run.label)
    }
  }

  /// Trains what is missing and not refused; true if the user stopped it.
  private func train(
    _ missing: [SweepPlan.Run], _ machine: MachineRecord, _ keeper: RecordKeeper
  ) throws -> Bool {
    let known = keeper.records
    var jobs: [TrainingPool.Job] = [], runs: [SweepPlan.Run] = []
    for run in missing where !Self.isRefused(run, known) {
      guard case .training(let specification, let choice, let seed, let network) = run.work else { continue }
      let cost = known.known[network]?.result.networks?.first { $0.kernel == choice.item }?.cost
      let work = Double(max(cost?.operations ?? 1, 1)) * Double(specification.data.train.count)
      jobs.append(
        .init(specification: specification, choice: choice, seed: seed, epochWork: work))
      runs.append(run)
    }
    guard !jobs.isEmpty else { return false }
    let progress = ProgressLine(
      "training", total: jobs.reduce(0) { $0 + $1.specification.recipe.epochs },
      work: jobs.reduce(0) { $0 + $1.epochWork * Double($1.specification.recipe.epochs) })
    defer { progress.finish() }
    return try TrainingPool.run(jobs, threads: threads, progress) { [runs] index, run in
      var record = SweepRecord(runs[index], machine)
      record.keep(run)
      try keeper.add(record)
    }
  }
}

/// Records that several threads add to.
private final class RecordKeeper: Sendable {
  private let state: Mutex<(records: SweepRecords, count: Int)>
  init(_ records: SweepRecords) { state = Mutex((records, 0)) }
  var records: SweepRecords { state.withLock { $0.records } }
  /// How many were added.
  var count: Int { state.withLock { $0.count } }
  func add(_ record: SweepRecord) throws {
    try state.withLock {
      try $0.records.add(record)
      $0.count += 1
    }
  }
}
