import ArgumentParser
import Experiments
import Foundation
import Networks
import Tensors

/// `experiment sweep`: an experiment as a file.
struct SweepCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Run the experiment in a YAML file, skipping what is already done.",
    discussion: """
      Example: swift run experiment sweep experiments/quick.yaml

      You can stop it (Ctrl-C, or kill it) and start it again at any moment: finished runs are kept under \
      DIR/records, and DIR/operators.csv, networks.csv and training.csv are made from them. docs/sweeps.md describes \
      the file. Several commands, on one machine or on many, can work in the same folder at the same time: \
      docs/clusters.md.
      """)

  @Argument(help: ArgumentHelp("The sweep, such as experiments/quick.yaml.", valueName: "file.yaml"))
  var file: String
  @Option(
    help: ArgumentHelp(
      "The folder for records and tables (default: experiment-output/NAME, after the file's name).",
      valueName: "dir"))
  var output: String?
  @Option(
    help: ArgumentHelp(
      "The largest difference that counts as ‘equivalent’ (default: 1, or the file's margin).",
      valueName: "points"))
  var margin: Double?
  @Option(
    help: ArgumentHelp(
      "Add seeds until every verdict is better, worse, or equivalent within this many points.",
      valueName: "points"))
  var until: Double?
  @Option(
    help: ArgumentHelp(
      "With --until: the most seeds of a network (default: 20, or the file's most-seeds).", valueName: "n"))
  var mostSeeds: Int?
  @Option(
    help: ArgumentHelp("With --until: add no more seeds after this many minutes.", valueName: "minutes"))
  var budget: Double?
  @Option(help: .tensorboard)
  var tensorboard: String?
  @Flag(help: "List the runs and which of them are done; run nothing.")
  var dryRun = false
  @OptionGroup
  var records: RecordOptions
  @OptionGroup(title: "Many machines")
  var many: ManyMachines

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    if let output, output.isEmpty { throw ValidationError("--output is empty; give a folder.") }
    if let tensorboard, tensorboard.isEmpty {
      throw ValidationError("--tensorboard is empty; give a folder.")
    }
    if let margin { try check(margin, "--margin", Verdict.margins) }
    if let until { try check(until, "--until", Verdict.margins) }
    if let mostSeeds { try check(mostSeeds, "--most-seeds", SeedsUntil.limits) }
    if let budget { try check(budget, "--budget", 0...1_000_000) }
    if margin != nil, until != nil {
      throw ValidationError("--until sets the margin, too; leave out --margin.")
    }
    guard try !many.isGiven || !records.force && !dryRun else {
      throw ValidationError(
        "--force and --dry-run are for a single command; leave out the options for many machines.")
    }
  }

  func run() throws {
    let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    let output = output ?? "experiment-output/\(stem)"
    let sweep = try Sweep(file: file, ExperimentCommand.registry).margin(margin).until(until, most: mostSeeds)
    if !sweep.addsSeeds, mostSeeds != nil || budget != nil {
      throw ValidationError(
        "--most-seeds and --budget are limits for --until; give it too, or leave them out.")
    }
    Cancellation.listen()
    let threads = records.threads ?? (many.slurm ? 4 : Processors.usable)
    if try many.isGiven {
      guard !sweep.addsSeeds else {
        throw WorkbenchError(
          "Only a single command can add seeds; leave out ‘until’, or the options for many machines.")
      }
      return try share(SweepRunner(sweep, threads: threads), output, threads)
    }
    let runner = SweepLooks(sweep, threads: threads, minutes: budget)
    if dryRun {
      let list = try runner.list(output: output, records.options)
      list.warnings.forEach(warn)
      return printing.show(list.text, ["runs": list.runs])
    }
    try report(runner.run(output: output, options, onLook: warn), output)
  }

  /// What is done, and how.
  private var options: SweepRunner.Options {
    get throws {
      var options = records.options
      options.shard = try many.share
      options.part = many.part
      options.only = many.only
      options.heartbeat = many.heartbeat
      options.checkpoints = many.checkpoint
      options.retries = many.retry
      options.tensorboard = tensorboard
      return options
    }
  }

  /// Does a share of the work, or shows the status, submits jobs or makes the tables.
  private func share(_ runner: SweepRunner, _ output: String, _ threads: Int) throws {
    if many.status {
      let status = try runner.status(output: output)
      return printing.show(status.text, ["status": status.table])
    }
    if many.slurm {
      let jobs = try runner.slurmJobs(
        file: file, output: output,
        .init(
          tasks: many.arrayTasks, withReport: many.report, sbatch: many.sbatch,
          arguments: many.arguments(records, margin) + (tensorboard.map { ["--tensorboard", $0] } ?? [])))
      guard !many.print else { return print(jobs.text, terminator: "") }
      if many.retry { SweepRunner.forgetFailures(output: output) }
      for (part, number) in try jobs.submit() { print("\(part): job \(number)") }
      print("Progress: experiment sweep \(file) --output \(output) --threads \(threads) --status")
      return
    }
    let outcome =
      try many.collect ? runner.collect(output: output, options) : runner.run(output: output, options)
    try report(outcome, output)
    if many.collect, outcome.left > 0 {
      throw WorkbenchError(
        "\(Self.runs(outcome.left, "is", "are")) left, so the tables are incomplete; run the sweep again to resume it."
      )
    }
  }

  private func report(_ outcome: SweepRunner.Outcome, _ output: String) throws {
    for problem in outcome.problems { warn("\(problem.model): \(problem.sentence)") }
    (outcome.warnings + outcome.failures).forEach(warn)
    if outcome.isCancelled { throw outcome.stop(force: records.force) }
    if try many.share != nil || many.only != nil {
      printing.show(
        "Runs: \(outcome.now) done now, \(outcome.left) left or being done by others.",
        ["runs": Self.counts(outcome)])
    } else {
      func table(_ name: String) throws -> CSVTable {
        let path = "\(output)/\(name).csv"
        return FileManager.default.fileExists(atPath: path) ? try CSVTable(file: path) : CSVTable(columns: [])
      }
      try printing.show(
        "\(outcome.summary)\n\nRuns: \(outcome.now) done now, \(outcome.before) before. Tables and records: \(output)/; pictures: experiment report \(output)",
        ["runs": Self.counts(outcome), "operators": table("operators"), "networks": table("networks")])
    }
    if let disagreement = outcome.disagreement { throw WorkbenchError(disagreement) }
    if !outcome.failures.isEmpty {
      throw WorkbenchError(
        "\(Self.runs(outcome.failures.count, "was", "were")) given up; --retry tries again.")
    }
  }

  /// How many runs were done.
  private static func counts(_ outcome: SweepRunner.Outcome) -> CSVTable {
    typealias Column = Experiments.Column<SweepRunner.Outcome>
    return CSVTable(
      [outcome], [Column("now") { $0.now }, Column("before") { $0.before }, Column("left") { $0.left }])
  }

  private static func runs(_ count: Int, _ one: String, _ many: String) -> String {
    count == 1 ? "1 run \(one)" : "\(count) runs \(many)"
  }
}
