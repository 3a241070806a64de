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
  @Option(help: .ofKernels(KernelOptions.dilation)) var dilation: String?
  @Option(help: .ofKernels(KernelOptions.offsetGroups)) var offsetGroups: String?
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

  /// The options of kernels that are given for all of them, with their canonical values.
  private var ofKernels: [(option: any AnyKernelOption, value: String)] {
    let all: [(any AnyKernelOption, String?)] = [
      (KernelOptions.dilation, dilation), (KernelOptions.offsetGroups, offsetGroups),
    ]
    return all.compactMap { option, text in text.map { (option, option.canonical($0) ?? $0) } }
  }

  /// The value that is given for all kernels that have an option; nil if none is.
  func value(of option: any AnyKernelOption) -> String? {
    ofKernels.first { $0.option.flag == option.flag }?.value
  }

  /// The settings that they give for the model.
  func settings() throws -> ModelSettings { try Command.settings(given) }

  /// Whether all are left at their defaults.
  var areDefault: Bool { ofKernels.isEmpty && given.allSatisfy { $0.texts == nil } }

  func validate() throws {
    _ = try settings()
    for (option, value) in ofKernels where option.canonical(value) == nil {
      throw ValidationError("--\(option.flag ?? option.name) cannot be ‘\(value)’; it takes \(option.words).")
    }
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
    for (given, value) in ofKernels {
      var isTaken = false
      for (index, choice) in result.enumerated() {
        let isAlone = choices.count == 1 && choice.parts.count == 1
        let items = choice.parts.map { part in
          guard isAlone || part.item != "standard",
            let option = part.innermost.kernel.options.first(where: { $0.flag == given.flag })
          else { return part.item }
          isTaken = true
          return "\(part.item):\(option.name)=\(value)"
        }
        result[index] = try ExperimentCommand.registry.choice(items.joined(separator: "+"))
      }
      guard isTaken else {
        throw WorkbenchError(
          "No kernel of --conv has the option \(given.name); leave out --\(given.flag ?? given.name).")
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
