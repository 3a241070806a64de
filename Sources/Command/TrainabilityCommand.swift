import ArgumentParser
import Experiments
import Foundation
import Learning
import Networks
import Tensors

/// `experiment trainability`: gradients by depth, with and without shortcuts.
struct TrainabilityCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "trainability",
    abstract: "Measure the gradients of each layer, by depth, with and without shortcuts.",
    discussion: """
      Example: swift run experiment trainability --depths 20,56 --epochs 1 --csv trainability.csv

      Each network is measured before and after a short training, on the same images (docs/proxies.md).
      """)

  @Option(help: .kernels)
  var conv = "standard"
  @Option(help: ArgumentHelp("The depths of the networks, separated by commas.", valueName: "list"))
  var depths = "20,56,110"
  @Option(
    help: ArgumentHelp(
      "The family of the models, resnet or bottleneck; the depth is appended to it.", valueName: "name"))
  var family = "resnet"
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @Option(help: .data)
  var data = "digits"
  @Option(
    help: ArgumentHelp("Passes over the training data; 0 measures initial networks only.", valueName: "n"))
  var epochs = 2
  @Option(
    help: ArgumentHelp(
      "The highest learning rate; 0.1 is too high for the first steps with 110 layers.", valueName: "x"))
  var rate = 0.01
  @Option(help: ArgumentHelp("Images for the gradients.", valueName: "n"))
  var batch = 32
  @Option(help: ArgumentHelp("The seed of initial weights, images and their order.", valueName: "n"))
  var seed = 0
  @OptionGroup
  var threads: ThreadOption
  @Option(help: .rows)
  var csv: String?

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    try check(epochs, "--epochs", 0...1_000_000)
    try check(batch, "--batch", 2...1_048_576)
    try check(seed, "--seed", 0...Int(Int32.max))
    guard (0...1000).contains(rate) else {
      throw ValidationError("--rate is \(rate); it must be from 0 to 1000.")
    }
    guard try variations.settings().shortcut != ResidualDescription.Shortcut.none else {
      throw ValidationError("Networks without shortcuts are measured anyway; leave out --shortcut none.")
    }
  }

  func run() throws {
    let kernels = try variations.kernels(ExperimentCommand.registry.choices(conv))
    let data = try loadData(data)
    if let csv { try AtomicFile.checkFolder(of: csv) }
    let models = try depths.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let depth = Int(text) else {
        throw WorkbenchError("‘\(text)’ in --depths is not a number; write it as 20,56,110.")
      }
      let description = try variations.description(
        "\(family)\(depth)", inputChannels: data.train.images.shape[3], classes: data.classes)
      guard let residual = description.residual else {
        throw WorkbenchError("\(description.name) has no shortcuts; choose residual networks.")
      }
      return (depth, residual)
    }
    var recipe = Recipe.standard(epochs: epochs)
    recipe.schedule.rate = rate
    Cancellation.listen()
    let progress = ProgressLine("trainability", total: 2 * kernels.count * models.count)
    defer { progress.finish() }
    let study = try TrainabilityStudy(
      kernels, standard: ExperimentCommand.registry.choice("standard"), models: models, data: data,
      batch: batch, recipe: recipe, seed: UInt64(seed), threads: threads.count,
      progress: progress)
    progress.finish()
    if let csv { try study.table.write(to: csv) }
    printing.show(study.text, ["trainability": study.table])
    if conv != "all", let problem = study.problems.first { throw WorkbenchError(problem) }
  }
}
