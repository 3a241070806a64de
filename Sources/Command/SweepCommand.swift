import ArgumentParser
import Experiments
import Foundation
import Networks
import Tensors

/// `experiment sweep`: an experiment as a file.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Run the experiment in a YAML file, skipping what is already done.",
    discussion: """
      Example: swift run experiment sweep experiments/quick.yaml

      It can be stopped (Ctrl-C, or killed) and started again at any moment: finished runs are kept under \
      DIR/records, and DIR/operators.csv, networks.csv and training.csv are made from them. docs/sweeps.md says what \
      a file can hold.
      """)

  @Argument(help: ArgumentHelp("The sweep, such as experiments/quick.yaml.", valueName: "file.yaml"))
  var file: String
  @Option(
    help: ArgumentHelp(
      "The folder for records and tables (default: experiment-output/NAME, by the file's name).",
      valueName: "dir"))
  var output: String?
  @Option(
    help: ArgumentHelp(
      "Differences that do not matter, for ‘equivalent’ (default: 1, or the file's margin).",
      valueName: "points"))
  var margin: Double?
  @Option(
    help: ArgumentHelp(
      "Add seeds until every verdict is better, worse, or equivalent within so many points.",
      valueName: "points"))
  var until: Double?
  @Option(
    help: ArgumentHelp(
      "The most seeds of a network with --until (default: 20, or the file's most-seeds).", valueName: "n"))
  var mostSeeds: Int?
  @Option(
    help: ArgumentHelp("With --until: after so many minutes add no more seeds.", valueName: "minutes"))
  var budget: Double?
  @Flag(help: "List the runs and which of them are done; run nothing.")
  var dryRun = false
  @OptionGroup
  var records: RecordOptions

  func validate() throws {
    if let output, output.isEmpty { throw ValidationError("--output is empty; give a folder.") }
    if let margin { try check(margin, "--margin", 0.001...100) }
    if let until { try check(until, "--until", 0.001...100) }
    if let mostSeeds { try check(mostSeeds, "--most-seeds", 2...10_000) }
    if let budget { try check(budget, "--budget", 0...1_000_000) }
    if margin != nil, until != nil {
      throw ValidationError("--until says the margin, too; leave out --margin.")
    }
  }

  func run() throws {
    let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    let output = output ?? "experiment-output/\(stem)"
    let sweep = try Sweep(file: file, ExperimentCommand.registry).margin(margin).until(until, most: mostSeeds)
    if !sweep.addsSeeds, mostSeeds != nil || budget != nil {
      throw ValidationError(
        "--most-seeds and --budget are limits of --until; give that too, or leave them out.")
    }
    Cancellation.listen()
    let runner = SweepLooks(sweep, threads: records.threads, minutes: budget)
    if dryRun {
      let (text, warnings) = try runner.list(output: output, records.options)
      warnings.forEach(warn)
      return print(text)
    }
    let outcome = try runner.run(output: output, records.options, onLook: warn)
    for problem in outcome.problems { warn("\(problem.model): \(problem.sentence)") }
    outcome.warnings.forEach(warn)
    if outcome.isCancelled { throw outcome.stop }
    print(outcome.summary)
    print(
      "\nRuns: \(outcome.now) done now, \(outcome.before) before. Tables and records: \(output)/; pictures: experiment report \(output)"
    )
    if let disagreement = outcome.disagreement { throw WorkbenchError(disagreement) }
  }
}
