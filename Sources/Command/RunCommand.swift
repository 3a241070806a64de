import ArgumentParser
import Experiments
import Foundation
import Learning
import Networks
import Tensors

/// `experiment run`: the main job.
struct RunCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Compare kernels with the standard convolution: cost, speed, error and trained accuracy.",
    discussion: """
      Example: swift run experiment run --conv dilated,shift --epochs 3 --seeds 2 --output comparison

      The default model is bottleneck20. On generated tasks with classes the rate of sgd is 0.05 (docs/models.md). Writes operators.csv, networks.csv, training.csv and machine.json into the \
      output folder. Finished runs are kept in its folder records. The same command resumes a stopped run, \
      and further kernels are added to those already there.
      """)

  @Option(help: .kernels)
  var conv: String

  @Option(help: .data)
  var data = DataSource.mainJob

  @OptionGroup(title: "The model")
  var model: ModelArgument

  @OptionGroup(title: "The model")
  var variations: ModelOptions

  @Option(
    help: ArgumentHelp(
      "Passes over the training data; 0 only measures, without a recipe (default: 6 for a task, 15 for other data).",
      valueName: "n"))
  var epochs: Int?

  @OptionGroup(title: "The recipe")
  var recipe: OtherRecipeOptions

  @Option(
    help: ArgumentHelp("Trainings of each network, each from different initial weights.", valueName: "n"))
  var seeds = 3

  @Flag(
    help:
      "Choose each kernel's rate first: 0.3, 1 and 3 times the recipe's are each trained once, with another seed, and compared on the validation split."
  )
  var tuneRate = false

  @Option(
    help: ArgumentHelp(
      "Choose the width of each kernel's network so that it matches standard's params, macs or latency.",
      valueName: "budget"))
  var match: Budget?

  @Option(
    help: ArgumentHelp("The largest difference that counts as ‘equivalent’.", valueName: "points"))
  var margin = Verdict.margin

  @Option(help: ArgumentHelp("The folder for the tables.", valueName: "dir"))
  var output = "experiment-output"

  @OptionGroup
  var records: RecordOptions

  private var passes: Int { epochs ?? DataSource.epochs(of: data) }

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    try check(passes, "--epochs", 0...1_000_000)
    try check(seeds, "--seeds", Sweep.seedCounts)
    guard !tuneRate || passes > 0 else {
      throw ValidationError("--tune-rate trains, so it needs --epochs of at least 1.")
    }
    try check(margin, "--margin", Verdict.margins)
    if output.isEmpty { throw ValidationError("--output is empty; give a folder.") }
  }

  func run() throws {
    let registry = ExperimentCommand.registry
    let asked = try variations.kernels(registry.choicesBesideStandard(conv))
    let present = try (records.force ? [] : Sweep.kernels(in: output)).map { item in
      do { return try registry.choice(item) } catch {
        throw WorkbenchError(
          "\(output) holds results of ‘\(item)’, which is not a kernel here; choose another folder with --output, or start again with --force."
        )
      }
    }
    let kernels = (asked.prefix(1) + present + asked).uniqued(by: \.item)
    var recipe = try recipe.settings()
    recipe.epochs = passes
    recipe.rate = recipe.rate ?? ([nil, .sgd].contains(recipe.optimizer) ? DataSource.rate(of: data) : nil)
    let sweep = try Sweep.mainJob(
      kernels, in: variations.sweepModel(model.name ?? Models.standard), on: data, seeds: seeds,
      recipe: passes == 0 ? nil : recipe, tune: tuneRate ? RateTuning() : nil, match: match, margin: margin)
    Cancellation.listen()
    let outcome = try SweepRunner(sweep, threads: records.threads ?? Processors.usable).run(
      output: output, records.options)
    (outcome.warnings + outcome.failures).forEach(warn)
    if outcome.isCancelled { throw outcome.stop(force: records.force) }
    let tables =
      "Tables: \(output)/operators.csv, networks.csv, training.csv; machine: \(output)/machine.json\nPictures: experiment report \(output)"
    try printing.show(
      ([outcome.summary] + outcome.problems.map(\.sentence) + ["", tables]).joined(separator: "\n"),
      [
        "operators": CSVTable(file: "\(output)/operators.csv"),
        "networks": CSVTable(file: "\(output)/networks.csv"),
      ])
    if let disagreement = outcome.disagreement { throw WorkbenchError(disagreement) }
    if !outcome.failures.isEmpty {
      throw WorkbenchError(
        "Runs given up: \(outcome.failures.count); remove \(output)/failures to try them again.")
    }
    // A kernel named on the command line that could not be run is a failure; `all` runs what it can.
    let items = Set(asked.map(\.item))
    if conv != "all", let problem = outcome.problems.first(where: { items.contains($0.kernel) }) {
      throw WorkbenchError(problem.sentence)
    }
  }
}

extension Budget: ExpressibleByArgument {}
