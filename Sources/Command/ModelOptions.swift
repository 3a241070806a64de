import ArgumentParser
import Experiments
import Foundation
import Kernels
import Networks
import Tensors

/// The options that vary a model, the same for every command that builds one.
struct ModelOptions: ParsableArguments, Sendable {
  @Option(ModelSettings.replace) var replace: String?
  @Option(ModelSettings.stages) var stages: String?
  @Option(help: ArgumentHelp("Dilation of every kernel; same as appending :dilation=N.", valueName: "size"))
  var dilation: SizeArgument?
  @Option(
    help: ArgumentHelp("Offset groups of deformable kernels; same as appending :groups=N.", valueName: "n"))
  var offsetGroups: Int?
  @Option(ModelSettings.block) var block: String?
  @Option(ModelSettings.shortcut) var shortcut: String?
  @Option(ModelSettings.strideOn) var strideOn: String?
  @Option(ModelSettings.dilateStages) var dilateStages: String?
  @Flag(ModelSettings.zeroInit) var zeroInit: Bool
  @Option(ModelSettings.expansion) var expansion: String?
  @Option(ModelSettings.width) var width: String?
  @Option(ModelSettings.initialization) var initialization: String?

  private var given: [Given<ModelSettings>] {
    [
      Given(ModelSettings.replace, replace), Given(ModelSettings.stages, stages),
      Given(ModelSettings.block, block), Given(ModelSettings.shortcut, shortcut),
      Given(ModelSettings.strideOn, strideOn),
      Given(ModelSettings.dilateStages, dilateStages),
      Given(ModelSettings.zeroInit, isOn: zeroInit ? true : nil), Given(ModelSettings.expansion, expansion),
      Given(ModelSettings.width, width), Given(ModelSettings.initialization, initialization),
    ]
  }

  /// The settings that they give for the model.
  func settings() throws -> ModelSettings { try Command.settings(given) }

  /// Whether all are left at their defaults.
  var areDefault: Bool { dilation == nil && offsetGroups == nil && given.allSatisfy { $0.texts == nil } }

  func validate() throws {
    _ = try settings()
    if let offsetGroups { try check(offsetGroups, "--offset-groups", 1...1_048_576) }
    if let pair = dilation?.pair { try check(min(pair.height, pair.width), "--dilation", 1...1_048_576) }
  }

  /// A model by name, varied.
  func description(_ name: String, inputChannels: Int, classes: Int) throws -> any ModelDescription {
    try settings().description(name, inputChannels: inputChannels, classes: classes)
  }

  /// A model by name, varied, for an experiment.
  func sweepModel(_ name: String) throws -> SweepModel {
    let settings = try settings()
    // Tables name the block, since it is another network than the one that the name promises.
    return try SweepModel(name, settings, settings.notes, isLabelled: settings.block?.isChosen == true)
  }

  /// A network with one kernel, from an item of `--conv`; without one, and without classes, it has the model's own.
  func network(_ name: String, _ item: String?, inputChannels: Int, classes: Int?, seed: UInt64) throws
    -> Network
  {
    let registry = ExperimentCommand.registry
    let description = try description(
      name, inputChannels: inputChannels, classes: classes ?? Models.classes(name))
    let item = item ?? description.ownKernel ?? "standard"
    return try Network(
      description, kernel: kernels([registry.choice(item)])[0], standard: registry.choice("standard"),
      seed: seed)
  }

  /// Kernels from items of `--conv`, with the options given here; `standard` among others stays plain.
  func kernels(_ choices: [KernelChoice]) throws -> [KernelChoice] {
    var result = choices
    let given = [("dilation", dilation.map(\.text)), ("offset-groups", offsetGroups.map(String.init))]
    for (flag, value) in given {
      guard let value else { continue }
      var isTaken = false
      for (index, choice) in result.enumerated() {
        let isAlone = choices.count == 1 && choice.parts.count == 1
        let items = choice.parts.map { part in
          guard isAlone || part.item != "standard",
            let option = part.innermost.kernel.options.first(where: { $0.flag == flag })
          else { return part.item }
          isTaken = true
          return "\(part.item):\(option.name)=\(value)"
        }
        result[index] = try ExperimentCommand.registry.choice(items.joined(separator: "+"))
      }
      guard isTaken else {
        throw WorkbenchError(
          "No kernel of --conv takes \(flag == "dilation" ? "a dilation" : "offset groups"); leave out --\(flag)."
        )
      }
    }
    for choice in result {
      for remark in choice.kernel.remarks(choice.options) {
        warn("\(choice.item): \(remark)")
      }
    }
    return result
  }
}
