import ArgumentParser
import Experiments
import Foundation
import Learning
import Networks
import Tensors

/// `experiment run`: the main job.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Compare kernels with the standard convolution: cost, speed, error and trained accuracy.",
    discussion: """
      Example: swift run experiment run --conv dilated,shift --epochs 3 --seeds 2 --output comparison

      Without a model it is bottleneck20. Writes operators.csv, networks.csv, training.csv and machine.json into the output folder.
      """)

  @Option(
    help: ArgumentHelp("Kernels, separated by commas, or all; see ‘experiment list’.", valueName: "names"))
  var conv: String

  @Option(help: ArgumentHelp("\(Dataset.choices).", valueName: "data"))
  var data = "digits"

  @OptionGroup(title: "The model")
  var model: ModelArgument

  @OptionGroup(title: "The model")
  var variations: ModelOptions

  @Option(help: ArgumentHelp("Passes over the training data; 0 measures only.", valueName: "n"))
  var epochs = 15

  @Option(
    help: ArgumentHelp("How often each network is trained, from other initial weights.", valueName: "n"))
  var seeds = 3

  @Option(help: ArgumentHelp("Threads; no result depends on it (default: all cores).", valueName: "n"))
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: ArgumentHelp("The folder for the tables.", valueName: "dir"))
  var output = "experiment-output"

  func validate() throws {
    try check(epochs, "--epochs", 0...100_000)
    try check(seeds, "--seeds", 1...10_000)
    try check(threads, "--threads", 1...1024)
  }

  func run() throws {
    let kernels = try variations.kernels(ExperimentCommand.registry.choicesBesideStandard(conv))
    let data = try Dataset.load(data)
    let description = try variations.description(
      model.name ?? Models.standard, inputChannels: data.train.images.shape[3], classes: data.classes)
    let recipe = Recipe.standard(
      epochs: epochs, isRegression: data.isRegression, hasPenalties: description.hasPenalties)
    let specification = try Specification(
      kernels: kernels, data: data, model: description, recipe: recipe, seeds: seeds, threads: threads)
    Cancellation.listen()
    let outcome = try Runner.run(specification, output: output)
    if outcome.isCancelled {
      FileHandle.standardError.write(Data("Stopped: the tables in \(output) hold what was finished.\n".utf8))
      throw Cancellation.Requested()
    }
    print(outcome.results.summary)
    print("\nTables: \(output)/operators.csv, networks.csv, training.csv; machine: \(output)/machine.json")
    // What was asked for by name and could not be done is a failure; `all` takes what there is.
    if conv != "all", let problem = outcome.results.problems.first { throw WorkbenchError(problem) }
  }
}

/// Refuses a number out of range, as wrong usage.
func check(_ value: Int, _ name: String, _ range: ClosedRange<Int>) throws {
  guard range.contains(value) else {
    throw ValidationError("\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound).")
  }
}
