import ArgumentParser
import Experiments
import Foundation
import Kernels
import Networks
import Tensors

/// What can be varied in a model: the same options for every command that builds one.
struct ModelOptions: ParsableArguments, Sendable {
  @Option(
    help:
      "Which convolutions are replaced: spatial (k×k but the stem) or all (but the stem); default: the model's."
  )
  var replace: Replacement?
  @Option(
    help: ArgumentHelp(
      "Replace only in these stages, such as 2,3,4 for layer2 to layer4 (default: all).", valueName: "list"))
  var stages: StageList?
  @Option(help: ArgumentHelp("Dilation of every kernel; same as appending :dilation=N.", valueName: "size"))
  var dilation: SizeArgument?
  @Option(
    help: ArgumentHelp(
      "Offset groups of deformable kernels; same as appending :groups=N.", valueName: "n"))
  var offsetGroups: Int?
  @Option(
    help:
      "Beside blocks that change the size: padding (option A) or projection (option B), or none beside any block; default: the model's."
  )
  var shortcut: ResidualDescription.Shortcut?
  @Option(help: "Where bottlenecks have their stride: spatial (as torchvision) or first (as the paper).")
  var strideOn: ResidualDescription.StridePlace?
  @Option(
    help: ArgumentHelp("The stages whose stride is replaced by dilation, such as 3,4.", valueName: "list"))
  var dilateStages: StageList?
  @Flag(help: "Start the last normalisation of each block at zero, so that blocks start as identities.")
  var zeroInit = false

  @Option(
    help: ArgumentHelp("Channels inside ShiftResNet's blocks for each of their output.", valueName: "n"))
  var expansion: Int?
  @Option(
    help: ArgumentHelp(
      "So many times as many channels in a residual network's stem and stages (default: 1).", valueName: "x"))
  var width: Double?
  @Option(
    name: .customLong("init"),
    help: ArgumentHelp(
      "How weights start: \(InitializationScheme.all.map(\.name).joined(separator: ", ")), with options as in he:fan=out:gain=1 (see ‘experiment list’; default: the model's own).",
      valueName: "rule"))
  var initialization: String?

  /// Whether all are left at their defaults.
  var areDefault: Bool {
    replace == nil && dilation == nil && offsetGroups == nil && initialization == nil
      && areResidualDefault
  }

  /// Whether those that only residual networks have are left at their defaults.
  private var areResidualDefault: Bool {
    stages == nil && shortcut == nil && strideOn == nil && dilateStages == nil && !zeroInit
      && expansion == nil && width == nil
  }

  func validate() throws {
    if let expansion { try check(expansion, "--expansion", 1...1024) }
    if let width, !(0.01...64).contains(width) {
      throw ValidationError("--width is \(width); it must be from 0.01 to 64.")
    }
    if let offsetGroups { try check(offsetGroups, "--offset-groups", 1...1_048_576) }
    if let pair = dilation?.pair { try check(min(pair.height, pair.width), "--dilation", 1...1_048_576) }
  }

  /// A model by name, varied.
  func description(_ name: String, inputChannels: Int, classes: Int) throws -> any ModelDescription {
    var description = try Models.description(name, inputChannels: inputChannels, classes: classes)
    if let replace { description.replacement = replace }
    description.initialization = try initialization.flatMap(InitializationScheme.chosen)
    if let residual = description as? ResidualDescription { return try varied(residual) }
    guard areResidualDefault else {
      throw WorkbenchError(
        "\(name) is not a residual network; leave out --stages, --shortcut, --stride-on, --dilate-stages, --zero-init, --expansion and --width."
      )
    }
    return description
  }

  /// A model by name, varied, for an experiment; wrong names and values are found here.
  func sweepModel(_ name: String) throws -> SweepModel {
    let plain = try description(name, inputChannels: 1, classes: 10)
    try (plain as? ResidualDescription)?.check()
    var definition = ["model": name, "replace": plain.replacement.rawValue]
    let given = [
      ("stages", stages?.text), ("shortcut", shortcut?.rawValue), ("stride-on", strideOn?.rawValue),
      ("dilate-stages", dilateStages?.text), ("zero-init", zeroInit ? "on" : nil),
      ("expansion", expansion.map(String.init)), ("width", width.map { "\($0)" }),
      ("init", plain.initialization?.item), ("revision", plain.revision > 1 ? "\(plain.revision)" : nil),
    ]
    for (name, value) in given { definition["model.\(name)"] = value }
    return SweepModel(label: name, definition: definition) { channels, classes in
      try description(name, inputChannels: channels, classes: classes)
    }
  }

  private func varied(_ residual: ResidualDescription) throws -> ResidualDescription {
    var description = width.map(residual.widened) ?? residual
    let name = description.name
    if let stages { description.replacedStages = stages.numbers }
    if let shortcut { description.shortcut = shortcut }
    if let strideOn {
      guard description.block == .bottleneck || strideOn == .spatial else {
        throw WorkbenchError(
          "\(name) has no bottlenecks, so no first 1×1 for a stride; leave out --stride-on.")
      }
      description.stridePlace = strideOn
    }
    if let dilateStages { description.dilatedStages = dilateStages.numbers }
    description.startsAsIdentity = zeroInit
    if let expansion {
      guard description.block == .shift else {
        throw WorkbenchError("\(name) has no blocks of shifts; leave out --expansion.")
      }
      description.shiftExpansion = expansion
    }
    return description
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

  /// Kernels from items of `--conv`, with the options given here; `standard` beside others stays plain.
  func kernels(_ choices: [KernelChoice]) throws -> [KernelChoice] {
    var result = choices
    let given = [("dilation", dilation.map(\.text)), ("groups", offsetGroups.map(String.init))]
    for (name, value) in given {
      guard let value else { continue }
      var isTaken = false
      for (index, choice) in result.enumerated() where choices.count == 1 || choice.item != "standard" {
        let kernel = choice.innermost.kernel
        guard kernel.options.contains(where: { $0.name == name }) else { continue }
        // Only deformable kernels call their offset groups so.
        if name == "groups", !kernel.name.hasPrefix("deformable") { continue }
        result[index] = try ExperimentCommand.registry.choice("\(choice.item):\(name)=\(value)")
        isTaken = true
      }
      guard isTaken else {
        throw WorkbenchError(
          name == "groups"
            ? "No kernel of --conv has offsets; leave out --offset-groups."
            : "No kernel of --conv takes a dilation; leave out --dilation.")
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

/// Numbers of stages on the command line: `2,3,4`.
struct StageList: ExpressibleByArgument {
  let numbers: Set<Int>

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.allSatisfy({ $0.map { (1...99).contains($0) } ?? false }) else { return nil }
    numbers = Set(parts.compactMap { $0 })
  }

  /// As it is written, in order.
  var text: String { numbers.sorted().map(String.init).joined(separator: ",") }
}

extension Replacement: ExpressibleByArgument {}
extension ResidualDescription.Shortcut: ExpressibleByArgument {}
extension ResidualDescription.StridePlace: ExpressibleByArgument {}
