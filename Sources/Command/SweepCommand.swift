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
  @Flag(help: "List the runs and which of them are done; run nothing.")
  var dryRun = false
  @OptionGroup
  var records: RecordOptions

  func validate() throws {
    if let output, output.isEmpty { throw ValidationError("--output is empty; give a folder.") }
  }

  func run() throws {
    let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    let output = output ?? "experiment-output/\(stem)"
    let sweep = try Sweep(file: file, ExperimentCommand.registry)
    Cancellation.listen()
    let runner = try SweepRunner(sweep, threads: records.threads)
    if dryRun {
      let (text, warnings) = try runner.list(output: output, records.options)
      warnings.forEach(warn)
      return print(text)
    }
    let outcome = try runner.run(output: output, records.options)
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
