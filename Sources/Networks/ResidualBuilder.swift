import Kernels
import Layers
import Tensors

/// Builds the layers of a residual network.
struct ResidualBuilder {
  let description: ResidualDescription
  private let net: NetworkBuilder

  init(_ description: ResidualDescription, _ net: NetworkBuilder) {
    self.description = description
    self.net = net
  }

  /// The whole network.
  func body() throws -> Sequential {
    let width =
      description.stages.last.map { $0.width * description.block.expansion } ?? description.stemWidth
    let pooling: NamedLayer = ("avgpool", AdaptiveAveragePooling())
    switch description.head {
    case .linear: return Sequential(try features() + [pooling, net.classifier("fc", width)])
    case .normalizedConvolution:
      return Sequential(
        try features() + [
          pooling, net.convolution("fc", width, description.classes, isFixed: true),
          ("bn2", BatchNormalization(channels: description.classes)),
        ])
    }
  }

  /// The stem and the stages.
  func features() throws -> [NamedLayer] {
    try description.check()
    let kernels = try net.kernels(of: description)
    let isLarge = description.stem == .large
    var layers: [NamedLayer] = [
      try net.convolution(
        "conv1", description.inputChannels, description.stemWidth, window: isLarge ? 7 : 3,
        stride: isLarge ? 2 : 1, isFixed: true),
      ("bn1", BatchNormalization(channels: description.stemWidth)), ("relu", ReLU()),
    ]
    if isLarge { layers.append(("maxpool", MaxPooling(try PoolingWindow(size: 3, stride: 2, padding: 1)))) }
    var channels = description.stemWidth
    // A stage whose stride is replaced leaves its dilation to its first block's successors.
    var dilation = 1
    for (number, stage) in zip(1..., description.stages) {
      let isDilated = description.dilatedStages.contains(number)
      let name = "layer\(number)"
      let isFixed = description.replacedStages.map { !$0.contains(number) } ?? false
      var blocks: [any Layer] = []
      for block in 0..<stage.count {
        let isFirst = block == 0
        let geometry = BlockGeometry(
          inputs: channels, width: stage.width, stride: isFirst && !isDilated ? stage.stride : 1,
          dilation: dilation, isFixed: isFixed)
        blocks.append(try self.block(net[name]["\(block)"].with(kernels[number - 1][block]), geometry))
        if isFirst && isDilated { dilation *= stage.stride }
        channels = stage.width * description.block.expansion
      }
      layers.append((name, Sequential(numbered: blocks)))
    }
    return layers
  }

  struct BlockGeometry {
    var inputs: Int
    var width: Int
    var stride: Int
    var dilation: Int
    /// Whether no kernel takes the place of its convolutions.
    var isFixed: Bool
  }

  private func block(_ net: NetworkBuilder, _ geometry: BlockGeometry) throws -> any Layer {
    let outputs = geometry.width * description.block.expansion
    switch description.block {
    case .invertedResidual: return try invertedResidual(net, geometry)
    case .convNeXt: return try convNeXt(net, geometry)
    case .repVGG: return try repVGG(net, geometry)
    case .basic, .bottleneck, .shift: break
    }
    var main = try convolutions(net, geometry, outputs)
    let normalization = BatchNormalization(channels: outputs)
    if description.startsAsIdentity { normalization.weight.value = Tensor(repeating: 0, [outputs]) }
    main.append(("bn\(description.block == .bottleneck ? 3 : 2)", normalization))
    if description.shortcut == .none { return Sequential(main + [("relu", ReLU())]) }
    return ResidualBlock(description.block, main, shortcut: try shortcut(net, geometry, outputs))
  }

  /// All layers of a block but the last normalisation.
  private func convolutions(_ net: NetworkBuilder, _ geometry: BlockGeometry, _ outputs: Int) throws
    -> [NamedLayer]
  {
    let inputs = geometry.inputs, stride = geometry.stride, dilation = geometry.dilation
    let window = description.window, isFixed = geometry.isFixed
    func activation(_ number: Int, _ channels: Int) -> [NamedLayer] {
      [("bn\(number)", BatchNormalization(channels: channels)), ("relu\(number)", ReLU())]
    }
    switch description.block {
    case .basic, .invertedResidual, .convNeXt, .repVGG:
      return [
        try net.convolution(
          "conv1", inputs, outputs, window: window, stride: stride, dilation: dilation, isFixed: isFixed)
      ] + activation(1, outputs) + [
        try net.convolution("conv2", outputs, outputs, window: window, dilation: dilation, isFixed: isFixed)
      ]
    case .bottleneck:
      let inner = geometry.width * description.innerWidth.numerator / description.innerWidth.denominator
      let isFirst = description.stridePlace == .first
      return [
        try net.convolution("conv1", inputs, inner, stride: isFirst ? stride : 1, isFixed: isFixed)
      ] + activation(1, inner) + [
        try net.convolution(
          "conv2", inner, inner, window: window, stride: isFirst ? 1 : stride, dilation: dilation,
          groups: description.groups, isFixed: isFixed)
      ] + activation(2, inner) + [try net.convolution("conv3", inner, outputs, isFixed: isFixed)]
    case .shift:
      let inner = (description.innerExpansion ?? 1) * outputs
      return [try net.convolution("conv1", inputs, inner, isFixed: isFixed)] + activation(1, inner) + [
        try net.convolution("shift", inner, inner, window: window, dilation: dilation, isFixed: isFixed),
        try net.convolution("conv2", inner, outputs, stride: stride, isFixed: isFixed),
      ]
    }
  }

  /// The shortcut of a block that changes the size or the channels.
  private func shortcut(_ net: NetworkBuilder, _ geometry: BlockGeometry, _ outputs: Int) throws -> (
    any Layer
  )? {
    guard geometry.stride != 1 || geometry.inputs != outputs else { return nil }
    if description.shortcut == .padding {
      return PaddingShortcut(stride: geometry.stride, inputs: geometry.inputs, outputs: outputs)
    }
    let projection = try net["downsample"].convolution(
      "0", geometry.inputs, outputs, stride: geometry.stride, isFixed: geometry.isFixed)
    return Sequential([projection, ("1", BatchNormalization(channels: outputs))])
  }
}
