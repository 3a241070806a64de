import ArgumentParser
import Experiments
import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors

/// `experiment field`: effective receptive fields.
struct FieldCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "field",
    abstract:
      "Measure effective receptive fields: how much the centre of a feature map depends on each input pixel.",
    discussion: """
      Example: swift run experiment field --conv standard,dilated,shift --depth 10 --csv field.csv --map fields

      Measures a stack of layers with the kernel, or the last feature map of a model, with initial or trained weights \
      (docs/proxies.md).
      """)

  @Option(
    help: .kernels(
      after:
        "With a model, kernels joined by +, as in shift+standard+adder, make one network with a kernel for each stage."
    ))
  var conv: String
  @Option(FieldSettings.depth) var depth: String?
  @Option(FieldSettings.window) var kernel: String?
  @Option(FieldSettings.channels) var channels: String?
  @OptionGroup(title: "A model instead of the stack")
  var model: ModelArgument
  @OptionGroup(title: "A model instead of the stack")
  var variations: ModelOptions
  @Option(FieldSettings.size) var size: String?
  @Option(FieldSettings.seeds) var seeds: String?
  @Option(FieldSettings.batch) var batch: String?
  @Option(
    help: ArgumentHelp("Trained weights of the model, with a single kernel.", valueName: "file.safetensors"))
  var weights: String?
  @OptionGroup
  var threads: ThreadOption
  @Option(help: .rows)
  var csv: String?
  @Option(help: ArgumentHelp("A folder for the maps: KERNEL.npy and KERNEL.pgm.", valueName: "dir"))
  var map: String?

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    _ = try settings()
    guard model.name == nil || (depth == nil && kernel == nil && channels == nil) else {
      throw ValidationError(
        "--depth, --kernel and --channels describe a stack; leave out these or the model.")
    }
    guard weights == nil || model.name != nil else {
      throw ValidationError("--weights need a model; name it, such as resnet20.")
    }
  }

  private func settings() throws -> FieldSettings {
    try Command.settings([
      Given(FieldSettings.depth, depth), Given(FieldSettings.window, kernel),
      Given(FieldSettings.channels, channels), Given(FieldSettings.size, size),
      Given(FieldSettings.seeds, seeds), Given(FieldSettings.batch, batch),
    ])
  }

  func run() throws {
    let model = model.name
    let kernels = try variations.kernels(ExperimentCommand.registry.choices(conv))
    guard weights == nil || kernels.count == 1 else {
      throw WorkbenchError("--weights fit one kernel; name a single one with --conv.")
    }
    let standard = try ExperimentCommand.registry.choice("standard")
    if let csv { try AtomicFile.checkFolder(of: csv) }
    var settings = try settings(), description: (any ModelDescription)?
    if let model {
      let own = Models.input(model)
      settings.channels = own.channels
      if size == nil { settings.size = Pair(own.height, own.width) }
      let classes = try weights.flatMap { try classesOfFile($0, of: model) }
      description = try variations.description(model, inputChannels: own.channels, classes: classes ?? 10)
    }
    let rule = try variations.settings().initialization ?? nil
    Cancellation.listen()
    let progress = ProgressLine("fields", total: kernels.count * settings.seeds)
    defer { progress.finish() }
    let study = try FieldStudy(kernels, settings.plan(threads: threads.count), progress: progress) {
      kernel, seed in
      guard let description else {
        let layers = try settings.stack(kernel, seed: seed)
        rule?.apply(to: Sequential(numbered: layers), random: Random(seed: seed).split("init"))
        return layers
      }
      let network = try Network(description, kernel: kernel, standard: standard, seed: seed)
      if let weights { try load(weights, into: network) }
      guard let links = network.featureLinks else {
        throw WorkbenchError("\(description.name) has no last feature map; leave out --model.")
      }
      return links
    }
    progress.finish()
    let table = study.table(settings.cells(model: model))
    if let csv { try table.write(to: csv) }
    if let map { try study.writeMaps(to: map) }
    printing.show(study.text, ["field": table])
    if conv != "all", let refused = study.rows.first(where: { $0.refusal != nil }) {
      throw WorkbenchError("\(refused.kernel) was refused: \(refused.refusal ?? "")")
    }
  }
}
