import Foundation
import Kernels
import Layers
import Learning
import Synchronization
import Tensors

/// Does what is missing of a sweep, and derives its tables.
package struct SweepRunner: Sendable {
  /// What is done, and how.
  package struct Options: Sendable {
    /// Whether what the folder holds is thrown away first.
    package var force = false
    /// The kernels whose records are made again if they are of another build of the program; empty for all, nil for none.
    package var rerun: [String]?
    /// The share of one process among many, which does what it can claim and leaves; nil for all, and for the tables.
    package var shard: Shard?
    /// What kinds of runs are done.
    package var part = SweepPart.all
    /// The one run that is done, by the beginning of its name; nil for all.
    package var only: String?
    /// Whether runs that were given up are tried again.
    package var retries = false
    /// How often to tell others that this process is alive, in seconds.
    package var heartbeat = 30.0
    /// How often a training is kept, in seconds.
    package var checkpoints = 600.0
    /// The folder for files of events, which TensorBoard reads.
    package var tensorboard: String?

    /// Whether others do the rest, and the tables.
    var isPart: Bool { shard != nil || only != nil }

    /// Options.
    package init(force: Bool = false, rerun: [String]? = nil) {
      self.force = force
      self.rerun = rerun
    }
  }

  /// The outcome of a sweep.
  package struct Outcome {
    /// How many runs were done before, are done now, and are left.
    package var before = 0, now = 0, left = 0
    /// Remarks for the user, one sentence each.
    package var warnings: [String] = []
    /// Runs that were refused or failed.
    package var problems: [Results.Problem] = []
    /// Whether the user stopped it.
    package var isCancelled = false
    /// Runs that were given up after some attempts, one sentence each.
    package var failures: [String] = []
    /// The results as text; empty if no tables were made.
    package var summary = ""
    /// One sentence if an operator disagrees with its definition.
    package var disagreement: String?
    /// How many verdicts are open, by group of the sweep.
    var openVerdicts: [Int] = []
    /// Whether there is any verdict; a regression has none.
    var hasVerdicts = false

    /// What was stopped, and how to resume it.
    ///
    /// - Parameter force: whether the command had `--force`, which would start again.
    package func stop(force: Bool) -> Cancellation.Requested {
      Cancellation.Requested(
        "Stopped: \(SweepRunner.count(now, "run")) \(now == 1 ? "was" : "were") done, \(left) are left; the same command \(force ? "without --force " : "")resumes."
      )
    }
  }

  private let sweep: Sweep
  private(set) var plan: SweepPlan
  let experiment: MachineRecord.Experiment
  let threads: Int

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
    text: String, runs: CSVTable, warnings: [String]
  ) {
    if !plan.isComplete, let later = try planned(in: output, options) {
      return try later.list(output: output, options)
    }
    let records = try SweepRecords(output), missing = Set(try missing(records, options).map(\.name))
    typealias Column = Experiments.Column<SweepPlan.Run>
    let columns: [Column] = [
      Column("record") { $0.name },
      Column("state") { run in
        !missing.contains(run.name) ? "done" : Self.isRefused(run, records) ? "refused" : "to do"
      }, Column("kind") { $0.definition["kind"] ?? "" }, Column("run") { $0.label },
    ]
    let table = TextTable(plan.runs, columns, left: [0, 1, 2, 3])
    let done = plan.runs.count - missing.count
    let rest = plan.isComplete ? "" : " Which others follow depends on their outcome."
    let counts =
      plan.spaceCounts + [
        "\(Self.count(plan.runs.count, "run")), of which \(done) \(done == 1 ? "is" : "are") done.\(rest)"
      ]
    return (
      "\(table.text)\n\n\(counts.joined(separator: "\n"))", CSVTable(plan.runs, columns), records.warnings
    )
  }

  /// Whether nothing is left to train in the folder.
  func isDone(in output: String, _ options: Options) throws -> Bool {
    let runner = try planned(in: output, options) ?? self
    return try runner.plan.isComplete && runner.missing(SweepRecords(output), options).isEmpty
  }

  /// The runner whose plan has the rates and widths that records of the folder say; nil if they say no more than this
  /// one's plan has.
  func planned(in output: String, _ options: Options) throws -> SweepRunner? {
    guard !options.force else { return nil }
    var later = self
    later.plan = try SweepPlan(sweep, threads: threads, SweepRecords(output).known)
    return later.plan.runs.map(\.name) == plan.runs.map(\.name) ? nil : later
  }

  /// Does what is missing, and then what follows from it: first what chooses rates and widths, then what is made with them.
  /// Other processes may do the same in the same folder: each run is done by the process that claims it. A part of many writes no tables.
  ///
  /// - Throws: a ``WorkbenchError`` if the folder holds something else, or results in it would be lost.
  package func run(output: String, _ options: Options = Options()) throws -> Outcome {
    var runner = try plan.isComplete ? self : planned(in: output, options) ?? self
    if let place = options.tensorboard { try EventFile.makeFolder(place) }
    let (folder, claims) = try runner.enter(output, options)
    defer { claims.leave() }
    var options = options, done = 0, before: Int?
    options.force = false
    while true {
      var outcome = try runner.runPlanned(folder, claims, options)
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
  private func runPlanned(_ folder: ResultFolder, _ claims: Claims, _ options: Options) throws -> Outcome {
    let folder = ResultFolder(folder.path)
    let kept = try SweepRecords(
      folder.path, where: options.rerun == nil ? (options.shard ?? .whole).reads : { _ in true })
    let missing = try missing(kept, options)
    // Where nothing is left to run, what describes the machine is what was there.
    var machine = missing.isEmpty ? folder.machine ?? .current() : .current()
    machine.experiment = experiment
    if folder.machine == nil { try claims.publish(folder.path("machine.json"), machine.write) }
    let session = SweepSession(self, folder, claims, RecordKeeper(kept, claims), machine, options)
    var outcome = Outcome()
    outcome.isCancelled = try session.run(try selected(missing, options))
    outcome.now = session.keeper.count
    outcome.before = plan.runs.count - missing.count
    outcome.failures = session.failures.map(\.text)
    if !options.isPart { session.keeper.read(plan.runs.map(\.name)) }
    let records = session.keeper.records
    if let place = options.tensorboard {
      // Of what was trained before, too.
      for run in plan.runs { try records.known[run.name]?.writeEvents(to: place, isNew: false) }
    }
    outcome.left = missing.count { run in
      !Self.isRefused(run, records) && !session.keeper.refused.contains(run.name)
        && !session.keeper.isDone(run.name, by: kept.known[run.name] == nil ? nil : ProgramBuild.fingerprint)
    }
    if !options.isPart { try makeTables(folder, claims, records, machine, &outcome) }
    return outcome
  }

  /// What of it this process is asked for.
  private func selected(_ missing: [SweepPlan.Run], _ options: Options) throws -> [SweepPlan.Run] {
    guard let only = options.only else { return missing.filter(options.part.contains) }
    let found = plan.runs.filter { $0.name.hasPrefix(only) }
    guard found.count == 1 else {
      throw WorkbenchError(
        "\(found.isEmpty ? "No run's name begins" : "Several runs' names begin") with ‘\(only)’; --dry-run shows them."
      )
    }
    return found.filter { run in missing.contains { $0.name == run.name } }
  }

  /// Joins those who work in a folder, alone where that is needed.
  func enter(_ output: String, _ options: Options) throws -> (ResultFolder, Claims) {
    var folder = ResultFolder(output)
    if !options.force { try check(folder) }
    try folder.make()
    let claims = try Claims(folder, Worker(heartbeat: options.heartbeat))
    do {
      let isAlone = experiment == .run || options.force
      if isAlone {
        if case .taken(let holder) = try claims.take(Claims.whole) { throw Self.busy(output, holder.worker) }
        if let other = claims.others().first { throw Self.busy(output, other) }
      } else if let holder = claims.holder(Claims.whole), !holder.isDead {
        throw Self.busy(output, holder.worker)
      }
      // Somebody may have been here until now.
      folder = ResultFolder(output)
      if options.force {
        folder.clear()
        folder = ResultFolder(output)
      } else {
        try check(folder)
      }
      if options.retries { Self.forgetFailures(output: output) }
      claims.clean()
      if experiment == .sweep { claims.release(Claims.whole) }
    } catch {
      claims.leave()
      throw error
    }
    return (folder, claims)
  }

  /// Lets runs that were given up be tried again.
  package static func forgetFailures(output: String) {
    try? FileManager.default.removeItem(atPath: ResultFolder(output).path("failures"))
  }

  private static func busy(_ output: String, _ worker: Worker) -> WorkbenchError {
    WorkbenchError(
      "Another run or sweep is writing to \(output) (\(worker.text)); wait for it, or choose another --output."
    )
  }

  func check(_ folder: ResultFolder) throws {
    try folder.check(experiment)
    guard experiment == .run, let machine = folder.machine else { return }
    try folder.check(SweepTables(plan, SweepRecords(folder.path).known, machine, isForecast: true))
  }

  /// What is to be done: what has no record, and what is to be made again.
  func missing(_ records: SweepRecords, _ options: Options) throws -> [SweepPlan.Run] {
    let kernels = plan.runs.flatMap(\.kernels)
    func concerns(_ item: String, _ name: String) -> Bool {
      item == name || item.split(whereSeparator: ":+=".contains).contains(Substring(name))
    }
    for name in options.rerun ?? [] where !kernels.contains(where: { concerns($0, name) }) {
      throw WorkbenchError(
        "There is no run of ‘\(name)’ to repeat; choose from the kernels compared here.")
    }
    return plan.runs.filter { run in
      guard let record = records.known[run.name] else { return !records.unread.contains(run.name) }
      guard let names = options.rerun, record.timing.build != ProgramBuild.fingerprint else { return false }
      return names.isEmpty || names.contains { name in run.kernels.contains { concerns($0, name) } }
    }
  }

  static func count(_ number: Int, _ thing: String) -> String {
    "\(number) \(thing)\(number == 1 ? "" : "s")"
  }

  /// Whether a run is a training of a kernel that the model's measurement found to be refused.
  static func isRefused(_ run: SweepPlan.Run, _ records: SweepRecords) -> Bool {
    guard case .training(_, let choice, _, let network) = run.work else { return false }
    return records.known[network]?.result.networks?
      .contains { $0.kernel == choice.item && $0.refusal != nil } ?? false
  }
}
