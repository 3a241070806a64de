import Kernels
import Tensors

/// The settings that vary a model.
package struct ModelSettings: Settable {
  package var replace: Replacement?
  package var stages: Set<Int>?
  package var block: ResidualDescription.Block?
  package var shortcut: ResidualDescription.Shortcut?
  package var strideOn: ResidualDescription.StridePlace?
  package var dilateStages: Set<Int>?
  package var zeroInit = false
  package var expansion: Int?
  package var width: Double?
  package var initialization: InitializationChoice?

  package init() {}

  /// A rule for initial weights, or nil inside for the model's own.
  package typealias InitializationChoice = ChosenInitialization?

  package static let replace = Setting(
    "replace", \Self.replace, .word,
    "The convolutions to replace: spatial (every k×k except the stem) or all (all except the stem); default: the model's"
  )
  package static let stages = Setting(
    "stages", \Self.stages, .stages,
    "Replace only in these stages, such as 2,3,4 for layer2 to layer4 (default: all)")
  package static let block = Setting(
    "block", \Self.block, .word,
    "The block of the small bottleneck networks: bottleneck, inverted-residual, convnext or repvgg (default: bottleneck)"
  )
  package static let shortcut = Setting(
    "shortcut", \Self.shortcut, .word,
    "The shortcuts of blocks that change the shape: padding (option A) or projection (option B); none: no shortcuts at all; default: the model's"
  )
  package static let strideOn = Setting(
    "stride-on", \Self.strideOn, .word,
    "Where bottlenecks have their stride: spatial (as in torchvision) or first (as in the paper)")
  package static let dilateStages = Setting(
    "dilate-stages", \Self.dilateStages, .stages,
    "Replace the stride of these stages by dilation, such as 3,4")
  package static let zeroInit = Setting(
    "zero-init", \Self.zeroInit, .flag,
    "Start the last normalisation of each block at zero, so that blocks start as identities")
  package static let expansion = Setting(
    "expansion", \Self.expansion, .whole(1...1024),
    "Channels inside blocks that widen them, for each channel outside (default: 3 in ShiftResNets, 6 in inverted residuals, 4 in ConvNeXt's blocks)"
  )
  package static let width = Setting(
    "width", \Self.width, .number(0.01...64),
    "A factor on the channels of a residual network's stem and stages (default: 1)")
  package static let initialization = Setting(
    "init", \Self.initialization, .initialization,
    "The rule for initial weights, such as xavier or he:fan=out:gain=1; ‘experiment list’ shows all (default: the model's own)"
  )

  /// All of them, in the order of lists and names.
  package static let all = [
    replace, stages, block, shortcut, strideOn, dilateStages, zeroInit, expansion, width, initialization,
  ]

  /// A model by name, varied.
  ///
  /// - Throws: a ``WorkbenchError`` if there is no such model, or it cannot be varied so.
  package func description(_ name: String, inputChannels: Int, classes: Int) throws -> any ModelDescription {
    var description = try Models.description(name, inputChannels: inputChannels, classes: classes)
    if let replace { description.replacement = replace }
    description.initialization = initialization ?? nil
    if let residual = description.residual { return try varied(residual) }
    var rest = self
    rest.replace = nil
    rest.initialization = nil
    guard rest.areDefault else {
      let names = [
        Self.stages, Self.block, Self.shortcut, Self.strideOn, Self.dilateStages, Self.zeroInit,
        Self.expansion,
        Self.width,
      ].map(\.name)
      throw WorkbenchError("\(name) is not a residual network; leave out \(names.joined(separator: ", ")).")
    }
    return description
  }

  /// Whether nothing is varied.
  package var areDefault: Bool {
    replace == nil && stages == nil && block == nil && shortcut == nil && strideOn == nil
      && dilateStages == nil && !zeroInit
      && expansion == nil && width == nil && initialization == nil
  }

  private func varied(_ residual: ResidualDescription) throws -> ResidualDescription {
    var description = width.map(residual.widened) ?? residual
    let name = description.name
    if let stages { description.replacedStages = stages }
    if let block {
      guard description.block == .bottleneck, description.stem == .small else {
        throw WorkbenchError(
          "\(name) is not a small bottleneck network, as bottleneck20 is; leave out block.")
      }
      description.block = block
    }
    if let shortcut {
      guard shortcut == .none || !description.block.isChosen else {
        throw WorkbenchError(
          "Blocks of \(description.block.rawValue) have their own shortcuts; leave out shortcut, or give none."
        )
      }
      description.shortcut = shortcut
    }
    if let strideOn {
      guard description.block == .bottleneck || strideOn == .spatial else {
        throw WorkbenchError(
          "\(name) has no bottlenecks, so it has no first 1×1 for the stride; leave out stride-on.")
      }
      description.stridePlace = strideOn
    }
    if let dilateStages { description.dilatedStages = dilateStages }
    description.startsAsIdentity = zeroInit
    if let expansion {
      guard description.block.innerExpansion != nil else {
        throw WorkbenchError("\(name) has no blocks that are wider inside; leave out expansion.")
      }
      description.chosenExpansion = expansion
    }
    try description.check()
    return description
  }

  /// What is varied besides which convolutions are replaced: the settings' names, and their values as the command line
  /// writes them in a record's definition.
  package var notes: [(name: String, text: String)] {
    func list(_ stages: Set<Int>) -> String { stages.sorted().map(String.init).joined(separator: ",") }
    let texts: [(Setting<Self>, String?)] = [
      (Self.stages, stages.map(list)), (Self.block, block.flatMap { $0.isChosen ? $0.rawValue : nil }),
      (Self.shortcut, shortcut?.rawValue),
      (Self.strideOn, strideOn?.rawValue), (Self.dilateStages, dilateStages.map(list)),
      (Self.zeroInit, zeroInit ? "on" : nil), (Self.expansion, expansion.map(String.init)),
      (Self.width, width.map { "\($0)" }), (Self.initialization, (initialization ?? nil)?.item),
    ]
    return texts.compactMap { setting, text in text.map { (setting.name, $0) } }
  }
}

extension SettingForm<Set<Int>> {
  /// Numbers of stages, as a list or joined by commas.
  fileprivate static var stages: Self {
    .init(
      list: "list", "numbers of stages, such as 2,3,4",
      write: { $0.sorted().map(String.init).joined(separator: ",") }
    ) { texts in
      let parts = texts.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
      let numbers = parts.compactMap { Int($0) }
      return numbers.count == parts.count && numbers.allSatisfy((1...99).contains) ? Set(numbers) : nil
    }
  }
}

extension SettingForm<ChosenInitialization?> {
  /// An item of `--init`.
  fileprivate static var initialization: Self {
    .init("rule", "a rule", write: { $0?.item ?? InitializationScheme.modelsOwn }) {
      .some(try InitializationScheme.chosen($0))
    }
  }
}
