import ArgumentParser
import Experiments
import Foundation
import Networks
import Tensors

/// `experiment sweep`: an experiment as a file.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Run an experiment that a YAML file describes: what is missing of it.",
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
  @Option(
    help: ArgumentHelp(
      "Threads of what is timed, and networks trained at a time (default: all cores).", valueName: "n"))
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    try check(threads, "--threads", 1...1024)
    if let output, output.isEmpty { throw ValidationError("--output is empty; give a folder.") }
  }

  func run() throws {
    let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    let output = output ?? "experiment-output/\(stem)"
    let sweep = try Sweep(file: file, .command)
    Cancellation.listen()
    let runner = try SweepRunner(sweep, threads: threads)
    if dryRun {
      let (text, warnings) = try runner.list(output: output)
      Self.warn(warnings)
      return print(text)
    }
    let outcome = try runner.run(output: output)
    Self.warn(outcome.warnings)
    if outcome.isCancelled {
      Self.warn([
        "Stopped: \(outcome.now) runs were done, \(outcome.left) are left; the same command goes on with them."
      ])
      throw Cancellation.Requested()
    }
    print(outcome.summary)
    print(
      "\nRuns: \(outcome.now) done now, \(outcome.before) before. Tables and records: \(output)/; pictures: experiment report \(output)"
    )
  }

  private static func warn(_ sentences: [String]) {
    for sentence in sentences { FileHandle.standardError.write(Data("\(sentence)\n".utf8)) }
  }
}

extension SweepVocabulary {
  /// The words of the command line: the options of `experiment train`, by their names there.
  static var command: SweepVocabulary {
    SweepVocabulary(
      registry: ExperimentCommand.registry,
      modelOptions: [
        Option("stages", .commaList), Option("shortcut"), Option("stride-on"),
        Option("dilate-stages", .commaList), Option("zero-init", .flag(negatable: false)),
        Option("expansion"),
      ],
      model: { name, arguments, channels, classes in
        let options = try sentence {
          try ModelOptions.parse(arguments)
        } message: {
          ModelOptions.message(for: $0)
        }
        let description = try options.description(name, inputChannels: channels, classes: classes)
        try (description as? ResidualDescription)?.check()
        return description
      },
      recipeOptions: [
        Option("epochs"), Option("batch"), Option("optimizer"), Option("rate"), Option("momentum"),
        Option("nesterov", .flag(negatable: true)), Option("weight-decay"), Option("schedule"),
        Option("milestones", .numbers), Option("warm-up"), Option("smoothing"), Option("augment"),
        Option("shuffle"),
      ],
      recipe: { arguments in
        let options = try sentence {
          try RecipeOptions.parse(arguments)
        } message: {
          RecipeOptions.message(for: $0)
        }
        let classification = options.recipe(isRegression: false)
        let regression = options.recipe(isRegression: true)
        return { $0 ? regression : classification }
      })
  }

  /// An error of the argument parser as a sentence.
  private static func sentence<Result>(
    _ body: () throws -> Result, message: (any Error) -> String
  ) throws -> Result {
    do { return try body() } catch let error as WorkbenchError { throw error } catch {
      throw WorkbenchError(message(error).split(separator: "\n").joined(separator: " "))
    }
  }
}
