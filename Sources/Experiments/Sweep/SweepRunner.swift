import Foundation
import Kernels
import Layers
import Learning
import Synchronization
import Tensors

/// Does what is missing of a sweep, and derives its tables.
public struct SweepRunner: Sendable {
  /// What a sweep came to.
  public struct Outcome {
    /// How many runs were done before, are done now, and are left.
    public var before = 0, now = 0, left = 0
    /// What was found in the folder that is not used, or refused and failed runs: one sentence each.
    public var warnings: [String] = []
    /// Whether the user stopped it.
    public var isCancelled = false
    /// The results for people.
    public var summary = ""
  }

  private let plan: SweepPlan
  private let threads: Int

  /// A runner of a sweep.
  ///
  /// - Parameter threads: of timed operators and networks, and how many networks are trained at the same time.
  public init(_ sweep: Sweep, threads: Int) throws {
    plan = try SweepPlan(sweep, threads: threads)
    self.threads = threads
  }

  /// The runs and which of them are done; changes nothing.
  public func list(output: String) throws -> (text: String, warnings: [String]) {
    let records = try SweepRecords(output)
    var table = TextTable(["record", "state", "kind", "run"], left: [0, 1, 2, 3])
    var done = 0
    for run in plan.runs {
      let isDone = records.known[run.name] != nil
      done += isDone ? 1 : 0
      let state = isDone ? "done" : Self.isRefused(run, records) ? "refused" : "to do"
      table.append([run.name, state, run.definition["kind"] ?? "", run.label])
    }
    let text = "\(table.text)\n\n\(plan.runs.count) runs, of which \(done) are done."
    return (text, records.warnings)
  }

  /// Does what is missing, keeps each run as it ends, and writes the tables of what there is.
  public func run(output: String) throws -> Outcome {
    let folder = URL(fileURLWithPath: output, isDirectory: true)
    try SweepRecords.makeFolder(output)
    let lock = try SweepLock(output)
    defer { withExtendedLifetime(lock) {} }
    SweepRecords.removeLeftovers(output)
    var kept = try SweepRecords(output)
    let before = kept.known
    let missing = plan.runs.filter { before[$0.name] == nil }
    let machinePath = folder.appendingPathComponent("machine.json").path
    let machine = try machine(machinePath, isUsed: !missing.isEmpty)
    let keeper = RecordKeeper(kept)
    var outcome = Outcome()
    do {
      try measure(missing, machine, keeper)
      outcome.isCancelled = try train(missing, machine, keeper)
    } catch is Cancellation.Requested {
      outcome.isCancelled = true
    }
    kept = keeper.records
    let tables = SweepTables(plan, kept.known, machine)
    try tables.write(to: folder)
    try FieldFiles(plan, kept.known)?.write(to: folder)
    outcome.before = plan.runs.count { before[$0.name] != nil }
    outcome.now = plan.runs.count { kept.known[$0.name] != nil } - outcome.before
    outcome.left = plan.runs.count { kept.known[$0.name] == nil && !Self.isRefused($0, kept) }
    outcome.warnings = kept.warnings + tables.problems
    let others = Set(kept.known.keys).subtracting(plan.runs.map(\.name)).count
    if others > 0 {
      outcome.warnings.append(
        "\(others) record\(others == 1 ? " is" : "s are") of runs that the file does not ask for; they are kept, but in no table."
      )
    }
    outcome.summary = tables.summary
    return outcome
  }

  /// Whether a run is a training of a kernel that the model's measurement found to be refused.
  private static func isRefused(_ run: SweepPlan.Run, _ records: SweepRecords) -> Bool {
    guard case .training(_, let choice, _, let network) = run.work else { return false }
    return records.known[network]?.result.networks?
      .contains { $0.kernel == choice.item && $0.refusal != nil } ?? false
  }

  /// What describes this machine and this process; what is there already, if nothing is left to run on it.
  private func machine(_ path: String, isUsed: Bool) throws -> MachineRecord {
    if !isUsed, let data = FileManager.default.contents(atPath: path),
      let record = try? JSONDecoder().decode(MachineRecord.self, from: data)
    {
      return record
    }
    let record = MachineRecord.current()
    try record.write(to: path)
    return record
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
      var record = SweepRecord(definition: run.definition, timing: Self.timing(machine))
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
        record.result.field = try settings.measure(kernel, threads: threads)
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
    let definitions = runs.map(\.definition)
    return try TrainingPool.run(jobs, threads: threads, progress) { index, run in
      var record = SweepRecord(definition: definitions[index], timing: Self.timing(machine))
      record.keep(run)
      try keeper.add(record)
    }.isCancelled
  }

  private static func timing(_ machine: MachineRecord) -> SweepRecord.Timing {
    SweepRecord.Timing(
      date: Date().formatted(.iso8601), processor: machine.processor, instructionSet: machine.instructionSet,
      commit: machine.commit)
  }
}

/// Records that several threads add to.
private final class RecordKeeper: Sendable {
  private let state: Mutex<SweepRecords>
  init(_ records: SweepRecords) { state = Mutex(records) }
  var records: SweepRecords { state.withLock { $0 } }
  func add(_ record: SweepRecord) throws { try state.withLock { try $0.add(record) } }
}
