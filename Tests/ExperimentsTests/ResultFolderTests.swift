import Foundation
import Kernels
import Tensors
import Testing

@testable import Experiments

/// What is finished in an output folder, and who may write there.
@Suite struct ResultFolderTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("folder-\(UUID().uuidString)")
    .path

  /// Tiny trainings without timings.
  private static func text(_ kernels: String, epochs: Int = 1, more: String = "") -> String {
    "kernels: [\(kernels)]\nmodels: bottleneck20\ndata: digits\nseeds: 1\nlatency: false\nproxies: false\n"
      + "training: {epochs: \(epochs)}\n\(more)"
  }

  /// A runner of a sweep, or of a main job with the same group.
  private func runner(_ text: String, _ experiment: MachineRecord.Experiment = .run) throws -> SweepRunner {
    try SweepRunner(Sweep(groups: SweepTests.sweep(text).groups, experiment), threads: 2)
  }

  private func table(_ name: String) throws -> CSVTable { try CSVTable(file: "\(folder)/\(name).csv") }

  private func files() throws -> [String: Data] {
    var found: [String: Data] = [:]
    for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file != "records" {
      found[file] = FileManager.default.contents(atPath: "\(folder)/\(file)") ?? Data()
    }
    return found
  }

  /// Kernels join a run; nothing of what is there is done again or lost; another run is refused until it is forced.
  @Test func finishedWorkIsNeverLost() throws {
    #expect(try runner(Self.text("shift")).run(output: folder).now == 3)
    let before = try table("training")
    #expect(before.rows.map { $0["kernel"] } == ["standard", "shift"])
    #expect(Sweep.kernels(in: folder) == ["standard", "shift"])

    let joined = try runner(Self.text("shift, 1x1")).run(output: folder)
    // The networks are compared anew, and one is trained.
    #expect(joined.now == 2 && joined.left == 0 && joined.warnings.isEmpty)
    let after = try table("training")
    #expect(Array(after.rows.prefix(2)) == before.rows && after.rows.count == 3)
    #expect(try table("networks").rows.map { $0["kernel"] } == ["standard", "shift", "1x1"])
    let whole = try files()
    #expect(try runner(Self.text("shift, 1x1")).run(output: folder).now == 0)
    #expect(try files() == whole)

    for (text, loss) in [
      (Self.text("1x1"), "shift (bottleneck20, spatial, digits) after 1 epochs"),
      (
        Self.text("shift, 1x1").replacingOccurrences(of: "seeds: 1", with: "seeds: [1]"),
        "standard (bottleneck20"
      ),
      (Self.text("shift, 1x1", epochs: 2), "standard (bottleneck20, spatial, digits) after 1 epochs"),
      (
        Self.text("shift, 1x1").replacingOccurrences(of: "data: digits", with: "data: synthetic"),
        "standard (bottleneck20, spatial, digits)"
      ),
      (
        Self.text("shift, 1x1").replacingOccurrences(of: "bottleneck20", with: "resnet20"),
        "standard (bottleneck20, spatial, digits)"
      ),
      (
        Self.text("shift, 1x1").replacingOccurrences(of: "training: {epochs: 1}\n", with: ""),
        "after 1 epochs"
      ),
    ] {
      let error = #expect(throws: WorkbenchError.self) { try runner(text).run(output: folder) }
      let sentence = error?.description ?? ""
      #expect(
        sentence.contains(loss) && sentence.contains("--output") && sentence.contains("--force"),
        "\(sentence)")
      #expect(try files() == whole)
    }
    let forced = try runner(Self.text("1x1", epochs: 2)).run(output: folder, .init(force: true))
    #expect(forced.before == 0 && forced.now == 3)
    #expect(try table("networks").rows.map { $0["kernel"] } == ["standard", "1x1"])
    #expect(SweepRecords.names(in: folder).count == 3)
  }

  /// Runs and sweeps do not share a folder, and tables without records are not replaced.
  @Test func foldersOfOthersAreRefused() throws {
    func refusal(_ experiment: MachineRecord.Experiment, _ options: SweepRunner.Options = .init()) -> String {
      let error = #expect(throws: WorkbenchError.self) {
        try runner(Self.text("shift"), experiment).run(output: folder, options)
      }
      return error?.description ?? ""
    }
    _ = try runner(Self.text("shift"), .sweep).run(output: folder)
    #expect(refusal(.run).contains("holds the results of a sweep"))
    // As earlier versions left it: a sweep has records.
    let path = "\(folder)/machine.json", machine = try #require(ResultFolder(folder).machine)
    var old = machine
    old.experiment = nil
    old.tables = nil
    try old.write(to: path)
    #expect(refusal(.run).contains("holds the results of a sweep"))
    #expect(try runner(Self.text("shift"), .sweep).run(output: folder).now == 0)
    #expect(ResultFolder(folder).machine?.experiment == .sweep)

    try FileManager.default.removeItem(atPath: "\(folder)/records")
    try old.write(to: path)
    let tables = try files()
    for experiment in [MachineRecord.Experiment.run, .sweep] {
      #expect(refusal(experiment).contains("holds a networks.csv that was not made from records"))
    }
    #expect(try files() == tables)
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/records"), "a refused folder stays as it is")
    _ = try runner(Self.text("shift")).run(output: folder, .init(force: true))
    #expect(refusal(.sweep).contains("holds the results of ‘experiment run’"))

    // A run is alone in its folder, and nobody's work is thrown away while they are at it.
    let other = try Claims(
      ResultFolder(folder),
      Worker(
        token: "feed000000000001", host: "elsewhere", process: 1, start: nil, job: nil, log: nil,
        heartbeat: 30))
    #expect(refusal(.run).contains("Another run or sweep is writing"))
    #expect(refusal(.run, .init(force: true)).contains("(elsewhere, process 1)"))
    #expect(refusal(.sweep, .init(force: true)).contains("Another run or sweep is writing"))
    other.leave()
    #expect(try runner(Self.text("shift")).run(output: folder).now == 0)
  }

  /// An interrupted run has the rows of the kernels that were finished, and a stop in the middle of more work leaves the
  /// tables of before.
  @Test func whatIsFinishedHasRows() throws {
    _ = try runner(Self.text("shift")).run(output: folder)
    let plan = try SweepPlan(SweepTests.sweep(Self.text("shift")), threads: 2)
    var known = try SweepRecords(folder).known
    let machine = try #require(ResultFolder(folder).machine)
    #expect(SweepTables(plan, known, machine).lost(from: ResultFolder(folder)) == nil)
    let last = try #require(plan.runs.last)
    known[last.name] = nil
    let tables = SweepTables(plan, known, machine)
    #expect(tables["networks"]?.rows.map { $0["kernel"] } == ["standard"])
    #expect(tables["training"]?.rows.count == 1)
    #expect(tables.lost(from: ResultFolder(folder)) == "shift (bottleneck20, spatial, digits) after 1 epochs")
  }

  /// Records of another build are used, and said to be; they are made again on request, by kernel or all.
  @Test func recordsKnowTheirBuild() throws {
    #expect(ProgramBuild.fingerprint?.count == 32)
    let text = Self.text(
      "shift, 'adder:dilation=2'", more: "fields: {depth: 1, channels: 2, size: 5, seeds: 1}\n")
    _ = try runner(text, .sweep).run(output: folder)
    var records = try SweepRecords(folder)
    #expect(records.known.count == 7)
    #expect(records.known.values.allSatisfy { $0.timing.build == ProgramBuild.fingerprint })
    let results = records.known.mapValues { $0.timing.date }
    for var record in records.known.values {
      record.timing.build = "other"
      record.timing.date = "2026-01-01T00:00:00Z"
      try records.add(record)
    }
    let stale = try runner(text, .sweep).run(output: folder)
    #expect(stale.now == 0 && stale.before == 7)
    #expect(
      stale.warnings.contains {
        $0.hasPrefix("7 records were made by another build") && $0.contains("--rerun")
      })
    #expect(ResultFolder(folder).machine?.recordsOfOtherBuilds == 7)
    let listed = try runner(text, .sweep).list(output: folder, .init(rerun: ["adder"]))
    #expect(listed.text.contains("7 runs, of which 4 are done."))
    let adder = try runner(text, .sweep).run(output: folder, .init(rerun: ["adder"]))
    // Its training and its field, and the networks, which took turns.
    #expect(adder.now == 3 && adder.before == 4)
    #expect(adder.warnings.contains { $0.hasPrefix("4 records were made") })
    let rest = try runner(text, .sweep).run(output: folder, .init(rerun: []))
    #expect(rest.now == 4 && rest.before == 3 && rest.warnings.isEmpty)
    #expect(Set(try SweepRecords(folder).known.keys) == Set(results.keys))
    let error = #expect(throws: WorkbenchError.self) {
      try runner(text, .sweep).run(output: folder, .init(rerun: ["dilated"]))
    }
    #expect(error?.description.contains("‘dilated’") == true)
  }

  /// Tables that a sweep no longer asks for go; those of other commands stay, and are not written over.
  @Test func staleTablesDoNotStay() throws {
    let fields = "fields: {depth: 1, channels: 2, size: 5, seeds: 1}\nlayers: true\n"
    _ = try runner(Self.text("shift", more: fields), .sweep).run(output: folder)
    let mine = CSVTable(columns: ["mine"])
    try mine.write(to: "\(folder)/trainability.csv")
    #expect(try Set(files().keys).isSuperset(of: ["layers.csv", "fields.csv"]))
    #expect(FileManager.default.fileExists(atPath: "\(folder)/fields/shift.npy"))
    _ = try runner(Self.text("shift"), .sweep).run(output: folder)
    #expect(
      try files().keys.sorted() == [
        "confusion.csv", "fields", "machine.json", "networks.csv", "trainability.csv", "training.csv",
      ])
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fields").isEmpty)
    #expect(ResultFolder(folder).machine?.tables == ["networks.csv", "training.csv", "confusion.csv"])

    try mine.write(to: "\(folder)/layers.csv")
    let outcome = try runner(Self.text("shift", more: fields), .sweep).run(output: folder)
    #expect(outcome.now == 0 && outcome.warnings.contains { $0.contains("layers.csv is another command's") })
    #expect(try table("layers").columns == ["mine"])
  }
}
