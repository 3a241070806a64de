import Foundation
import TestSupport
import Testing

/// `experiment sweep` as a user runs it.
@Suite(.serialized) struct SweepCommandTests {
  let folder = TemporaryFolder()

  private func write(_ text: String) throws -> String {
    let path = folder.appendingPathComponent("tiny.yaml").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  private static let tiny = """
    kernels: [shift]
    models: bottleneck20
    seeds: 5
    training: {epochs: 1, batch: 256}
    latency: {seconds: 0.01}
    operators:
      problems: [mb1_ic8ih6oc8kh3ph1, mb1_ic4ih4oc4kh3ph1]
      seconds: 0.01
    """

  /// The records of an output folder by their names, without what is different each time.
  private func results(_ output: String) throws -> [String: NSDictionary] {
    let records = URL(fileURLWithPath: output).appendingPathComponent("records")
    var found: [String: NSDictionary] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: records.path) {
      let data = try Data(contentsOf: records.appendingPathComponent(name))
      var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any], "\(name)")
      object["timing"] = nil
      object["checksum"] = nil
      found[name] = object as NSDictionary
    }
    return found
  }

  private func table(_ output: String, _ name: String) throws -> [[Substring]] {
    try String(contentsOfFile: "\(output)/\(name)", encoding: .utf8).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
  }

  /// The columns of a table that do not depend on time.
  private func timeless(_ output: String, _ name: String) throws -> [[Substring]] {
    let rows = try table(output, name)
    let timed = [
      "ms", "gflops", "fraction", "speedup", "seconds", "runs",
    ]
    let kept = rows[0].indices.filter { column in !timed.contains { rows[0][column].contains($0) } }
    return rows.map { row in kept.map { row[$0] } }
  }

  @Test func killedAtAnyMomentItComesToTheSameRecords() throws {
    let file = try write(Self.tiny)
    let whole = folder.appendingPathComponent("whole").path, torn = folder.appendingPathComponent("torn").path
    let outcome = try Experiment.run(["sweep", file, "--output", whole, "--threads", "2"])
    #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome.error)")
    for _ in 0..<20 {
      let process = try Experiment.start(["sweep", file, "--output", torn, "--threads", "2"]).process
      Thread.sleep(forTimeInterval: .random(in: 0...0.6))
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let last = try Experiment.run(["sweep", file, "--output", torn, "--threads", "2"])
    #expect(last.status == 0 && last.error.isEmpty, "\(last.error)")
    let wanted = try results(whole)
    #expect(wanted.count == 2 + 1 + 10)
    #expect(try results(torn) == wanted)
    for name in ["operators.csv", "networks.csv", "training.csv"] {
      #expect(try timeless(torn, name) == timeless(whole, name))
    }
    // Nothing half-written stays behind.
    let files = try FileManager.default.contentsOfDirectory(atPath: torn).sorted()
    #expect(
      files == [
        "confusion.csv", "machine.json", "networks.csv", "operators.csv", "records", "training.csv",
      ])

    // No training depends on the number of threads; what is timed is another run.
    let single = folder.appendingPathComponent("single").path
    #expect(try Experiment.run(["sweep", file, "--output", single, "--threads", "1"]).status == 0)
    let trainings = wanted.filter { ($0.value["definition"] as? [String: String])?["kind"] == "training" }
    #expect(trainings.count == 10)
    for (name, record) in try results(single).filter({ trainings[$0.key] != nil }) {
      #expect(trainings[name] == record)
    }
    #expect(Set(try results(single).keys).isSuperset(of: trainings.keys))
  }

  /// Commands that work in one folder at the same time, and shares of it one after the other.
  @Test func manyCommandsShareAFolder() throws {
    let file = try write(Self.tiny)
    func output(_ name: String) -> String { folder.appendingPathComponent(name).path }
    let common = ["sweep", file, "--threads", "1", "--output"]
    #expect(try Experiment.run(common + [output("alone")]).status == 0)
    let wanted = try results(output("alone"))

    // Two of three are killed; the third takes over what they had.
    let together = try (0..<3).map { _ in try Experiment.start(common + [output("together")]) }
    Thread.sleep(forTimeInterval: 0.7)
    for victim in together.prefix(2) { kill(victim.process.processIdentifier, SIGKILL) }
    #expect(try together[2].outcome().status == 0)

    // One run, then the others that are not timed, then the rest; what is left is said.
    let name = try #require(
      wanted.first { ($0.value["definition"] as? [String: String])?["kind"] == "training" }?.key)
    let one = try Experiment.run(common + [output("parts"), "--run", String(name.prefix(12))])
    #expect(one.output.contains("1 done now, 12 left"), "\(one.output)\(one.error)")
    let rest = try Experiment.run(common + [output("parts"), "--shard", "2/3", "--part", "rest"])
    #expect(rest.output.contains("9 done now, 3 left"), "\(rest.output)\(rest.error)")
    let status = try Experiment.run(common + [output("parts"), "--status"])
    #expect(status.output.contains("13 runs: 10 done, 0 running, 0 failed, 3 missing."), "\(status.output)")
    let early = try Experiment.run(common + [output("parts"), "--collect"])
    #expect(early.status == 1 && early.error.contains("3 runs are left"), "\(early.error)")
    let timings = try Experiment.run(common + [output("parts"), "--shard", "1/1", "--part", "timings"])
    #expect(timings.output.contains("3 done now, 0 left"))
    let none = try Experiment.run(common + [output("parts"), "--shard", "1/3"])
    #expect(none.output.contains("0 done now, 0 left"))
    #expect(try Experiment.run(common + [output("parts"), "--collect"]).status == 0)
    for name in ["together", "parts"] {
      #expect(try results(output(name)) == wanted, "\(name)")
      for table in ["operators.csv", "networks.csv", "training.csv"] {
        #expect(try timeless(output(name), table) == timeless(output("alone"), table))
      }
      let files = try FileManager.default.contentsOfDirectory(atPath: output(name)).sorted()
      #expect(
        files == [
          "confusion.csv", "machine.json", "networks.csv", "operators.csv", "records", "training.csv",
        ])
    }
  }

  /// A training that a scheduler stops is resumed where it was, and comes to the same.
  @Test func aStoppedTrainingIsResumed() throws {
    let file = try write(
      "models: bottleneck20\nlatency: false\nseeds: 1\ntraining: {epochs: 12, batch: 64}\n")
    let whole = folder.appendingPathComponent("whole").path, torn = folder.appendingPathComponent("torn").path
    #expect(try Experiment.run(["sweep", file, "--output", whole]).status == 0)
    let sweep = try Experiment.start(["sweep", file, "--output", torn, "--shard", "1/1"])
    let records = "\(torn)/records"
    for _ in 0..<200 where (try? FileManager.default.contentsOfDirectory(atPath: records))?.isEmpty != false {
      Thread.sleep(forTimeInterval: 0.05)
    }
    Thread.sleep(forTimeInterval: 1)
    kill(sweep.process.processIdentifier, SIGUSR1)
    let outcome = try sweep.outcome()
    #expect(outcome.status == 130 && outcome.error.contains("the same command resumes"), "\(outcome.error)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(torn)/checkpoints").count == 1)
    #expect(!FileManager.default.fileExists(atPath: "\(torn)/claims"))
    #expect(try Experiment.run(["sweep", file, "--output", torn]).status == 0)
    #expect(try results(torn) == results(whole))
    #expect(!FileManager.default.fileExists(atPath: "\(torn)/checkpoints"))
  }

  @Test func jobsOfSlurmArePrinted() throws {
    let file = try write(Self.tiny), output = folder.appendingPathComponent("an output's").path
    let arguments = ["sweep", file, "--output", output, "--slurm"]
    let shown = try Experiment.run(
      arguments + ["--print", "--tasks", "2", "--report", "--", "--time=1:00:00", "--account=me"])
    #expect(shown.status == 0, "\(shown.error)")
    for part in [
      "--cpus-per-task=4", "--requeue", "--signal=B:USR1", "--array=1-2", "--exclusive",
      "--dependency=afterany:$timings:$rest", "--time=1:00:00 --account=me", "report", "an output'\\''s",
    ] { #expect(shown.output.contains(part), "\(part)") }
    #expect(!FileManager.default.fileExists(atPath: output))
    let script = folder.appendingPathComponent("job.sh")
    try shown.output.write(to: script, atomically: true, encoding: .utf8)
    #expect(try Experiment.run(URL(fileURLWithPath: "/bin/bash"), ["-n", script.path]).status == 0)
    let nowhere = try Experiment.run(
      Experiment.executable, arguments, environment: ["PATH": "/nowhere:/usr/bin/nothing"])
    #expect(nowhere.status == 1 && nowhere.error.contains("was not submitted"), "\(nowhere.error)")
    for (wrong, sentence) in [
      (["--shard", "0/4"], "--shard is ‘0/4’; it must be i/n"), (["--shard", "5/4"], "it must be i/n"),
      (["--shard", "auto"], "--shard auto is for a task of a Slurm array"),
      (["--part", "rest"], "--part needs --shard"),
      (["--print"], "need --slurm"), (["--tasks", "3"], "need --slurm"),
      (["--status", "--collect"], "exclude each other"),
      (["--force", "--shard", "1/2"], "--force and --dry-run are for a single command"),
      (["--heartbeat", "0"], "--heartbeat is 0.0"),
    ] {
      let outcome = try Experiment.run(["sweep", file, "--output", output] + wrong)
      #expect(outcome.status == 64 && outcome.error.contains(sentence), "\(wrong): \(outcome.error)")
    }
  }

  @Test func runsOnlyWhatIsMissing() throws {
    let file = try write(
      "models: bottleneck20\nlatency: false\nseeds: 1\ntraining: {epochs: 1, batch: 256}\n")
    let output = folder.appendingPathComponent("out").path
    let listed = try Experiment.run(["sweep", file, "--output", output, "--dry-run"])
    #expect(listed.status == 0 && listed.output.contains("2 runs, of which 0 are done."))
    #expect(!FileManager.default.fileExists(atPath: output), "a dry run writes nothing")
    let first = try Experiment.run(["sweep", file, "--output", output])
    #expect(first.output.contains("2 done now, 0 before"), "\(first.error)")
    let tables = try ["networks.csv", "training.csv", "machine.json"].map {
      try String(contentsOfFile: "\(output)/\($0)", encoding: .utf8)
    }
    // Nothing to do: the same files to the letter.
    #expect(try Experiment.run(["sweep", file, "--output", output]).output.contains("0 done now, 2 before"))
    #expect(
      try tables
        == ["networks.csv", "training.csv", "machine.json"].map {
          try String(contentsOfFile: "\(output)/\($0)", encoding: .utf8)
        })
    // One more seed: one more run; the other's row stays as it is.
    _ = try write("models: bottleneck20\nlatency: false\nseeds: 2\ntraining: {epochs: 1, batch: 256}\n")
    let more = try Experiment.run(["sweep", file, "--output", output, "--dry-run"])
    #expect(more.output.contains("3 runs, of which 2 are done."))
    #expect(try Experiment.run(["sweep", file, "--output", output]).output.contains("1 done now, 2 before"))
    #expect(try table(output, "training.csv").count == 3)
    #expect(try String(contentsOfFile: "\(output)/training.csv", encoding: .utf8).hasPrefix(tables[1]))
    // Other epochs: the old records stay, in no table, and that is said.
    _ = try write("models: bottleneck20\nlatency: false\nseeds: 2\ntraining: {epochs: 2, batch: 256}\n")
    let changed = try Experiment.run(["sweep", file, "--output", output])
    #expect(changed.output.contains("2 done now, 1 before"))
    #expect(changed.error.contains("2 records are of runs that the file does not ask for"))
  }

  @Test func foreignFilesAreReportedAndKept() throws {
    let file = try write("models: bottleneck20\nlatency: false\n")
    let output = folder.appendingPathComponent("out").path
    #expect(try Experiment.run(["sweep", file, "--output", output]).status == 0)
    let records = "\(output)/records"
    try "hello".write(toFile: "\(records)/notes.txt", atomically: true, encoding: .utf8)
    let name = try #require(
      FileManager.default.contentsOfDirectory(atPath: records).first { $0.hasSuffix(".json") })
    try "{}".write(toFile: "\(records)/\(name)", atomically: true, encoding: .utf8)
    let outcome = try Experiment.run(["sweep", file, "--output", output])
    #expect(outcome.status == 0 && outcome.output.contains("1 done now, 0 before"))
    #expect(
      outcome.error.contains("notes.txt is not a record's name, so it is not used."), "\(outcome.error)")
    #expect(outcome.error.contains("\(name) cannot be read as a record"))
    #expect(try String(contentsOfFile: "\(records)/\(name).rejected1", encoding: .utf8) == "{}")
    #expect(FileManager.default.fileExists(atPath: "\(records)/notes.txt"))
  }

  @Test func stoppingKeepsWhatIsFinished() throws {
    let file = try write("models: bottleneck20\nseeds: 400\ntraining: {epochs: 1}\nlatency: false\n")
    let output = folder.appendingPathComponent("out").path
    let sweep = try Experiment.start(["sweep", file, "--output", output])
    sweep.interrupt(after: 2, recordsIn: "\(output)/records")
    let outcome = try sweep.outcome(), text = outcome.error
    #expect(outcome.status == 130)
    #expect(text.contains("Stopped:") && text.contains("are left"), "\(text)")
    #expect(try table(output, "training.csv").count > 1)
  }

  /// Lines of files and the error that they cause.
  static let wrong: [(String, String)] = [
    (
      "models: bottleneck20\ntraining:\n  epochs: 3\n  epoch: 4\n",
      ":4: unknown key ‘epoch’; known here: epochs, batch"
    ),
    (
      "models: bottleneck20\ntraining:\n  epochs: three\n",
      ":3: epochs is ‘three’; it must be a whole number from 1 to 1000000."
    ),
    (
      "models: bottleneck20\ntraining:\n  epochs: 0\n",
      ":3: epochs is ‘0’; it must be a whole number from 1 to 1000000."
    ),
    (
      "models:\n  - name: resnet20\n    shortcut: nothing\n",
      ":3: shortcut is ‘nothing’; it must be padding, projection or none."
    ),
    ("models:\n  - name: resnet20\n    stages: [1, 9]\n", ":3: resnet20 has no stage 9"),
    (
      "models: bottleneck20\ntraining:\n  nesterov: maybe\n",
      ":3: nesterov is ‘maybe’; it must be true or false."
    ),
    ("models: bottleneck20\ndata: mnist:/nowhere\n", ":2: /nowhere/"),
    (
      "models: bottleneck20\ntraining:\n  schedule: step\n  milestones: [\"0.5\", \"--epochs\", \"7\"]\n",
      ":4: milestones is ‘0.5 --epochs 7’; it must be numbers from 0 to 1."
    ),
    (
      "models: bottleneck20\ntraining:\n  milestones: --generate-completion-script\n",
      ":3: milestones is ‘--generate-completion-script’; it must be numbers from 0 to 1."
    ),
    (
      "kernels: [\"a\\nb\\e[2J\"]\nmodels: bottleneck20\n",
      ":1: There is no kernel ‘a\\nb\\u{1b}[2J’; ‘experiment list’"
    ),
    ("a: &a [x]\nb: [*a, *a]\n", ":2: this part of YAML is not supported: ‘*a…’, an alias;"),
  ]

  @Test(arguments: wrong) func wrongFilesAreRefused(_ text: String, _ expected: String) throws {
    let file = try write(text), output = folder.appendingPathComponent("out").path
    let outcome = try Experiment.run(["sweep", file, "--output", output])
    #expect(outcome.status == 1)
    #expect(outcome.error.hasPrefix("Error: \(file)\(expected)"), "\(outcome.error)")
    #expect(outcome.error.split(separator: "\n").count == 1)
    #expect(!FileManager.default.fileExists(atPath: output))
  }

  @Test func shippedFilesAreRight() throws {
    let shipped = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../experiments").standardized
    for name in ["quick", "card", "kernel-size", "dilation", "depth", "init", "space-quick", "mixed"] {
      let outcome = try Experiment.run(["sweep", "\(shipped.path)/\(name).yaml", "--dry-run"])
      #expect(outcome.status == 0, "\(name): \(outcome.error)")
    }
  }

  /// The papers' recipes on noise in CIFAR-10's format: 20 images a file.
  @Test func cifarRecipesRunOnASmallSetOfTheSameFormat() throws {
    let data = folder.appendingPathComponent("cifar")
    try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
    for name in (1...5).map({ "data_batch_\($0)" }) + ["test_batch"] {
      var records: [UInt8] = []
      for image in 0..<20 {
        records.append(UInt8(image % 10))
        for pixel in 0..<3072 { records.append(UInt8((31 * pixel + 57 * image) % 256)) }
      }
      try Data(records).write(to: data.appendingPathComponent("\(name).bin"))
    }
    let shipped = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../experiments/cifar10.yaml").standardized
    var text = try String(contentsOf: shipped, encoding: .utf8)
    for (old, new) in [
      ("cifar10:cifar-10-batches-bin", "cifar10:\(data.path)"), ("epochs: 400", "epochs: 2"),
      ("epochs: 160", "epochs: 2"), ("seeds: 3", "seeds: 1"),
    ] {
      #expect(text.contains(old))
      text = text.replacingOccurrences(of: old, with: new)
    }
    let output = folder.appendingPathComponent("out").path
    let outcome = try Experiment.run(["sweep", try write(text), "--output", output])
    #expect(outcome.status == 0, "\(outcome.error)")
    // Two groups of two kernels, two epochs each; the last column names the group.
    let rows = try table(output, "training.csv")
    #expect(rows.count == 1 + 8)
    #expect(
      rows.dropFirst().map { $0.last } == Array(repeating: "addernet", count: 4)
        + Array(repeating: "shiftnet", count: 4))
  }
}
