import Kernels
import Layers
import Tensors

/// The blocks that `--block` puts in the place of bottlenecks. Each has one k×k convolution, over all channels, for a kernel
/// to replace; in the papers of the first two it is depthwise.
extension ResidualBuilder {
  /// MobileNetV2's (Sandler et al., 2018, arXiv:1801.04381): narrow outside, wide inside, with a shortcut where the shape
  /// stays.
  func invertedResidual(_ net: NetworkBuilder, _ geometry: BlockGeometry) throws -> any Layer {
    let inputs = geometry.inputs, outputs = geometry.width, inner = try widened(inputs)
    let last = BatchNormalization(channels: outputs)
    if description.startsAsIdentity { last.weight.value = Tensor(repeating: 0, [outputs]) }
    let main: [NamedLayer] = [
      try net.convolution("conv1", inputs, inner, isFixed: geometry.isFixed),
      ("bn1", BatchNormalization(channels: inner)), ("relu1", ReLU6()),
      try spatial("conv2", net, geometry, channels: inner),
      ("bn2", BatchNormalization(channels: inner)), ("relu2", ReLU6()),
      try net.convolution("conv3", inner, outputs, isFixed: geometry.isFixed), ("bn3", last),
    ]
    let hasShortcut = description.shortcut != .none && geometry.stride == 1 && inputs == outputs
    let name = description.block.printedName
    return hasShortcut ? Residual(main, printedName: name) : Sequential(main, printedName: name)
  }

  /// ConvNeXt's (Liu et al., 2022, arXiv:2201.03545), after a layer that changes the size or the channels where they change.
  func convNeXt(_ net: NetworkBuilder, _ geometry: BlockGeometry) throws -> any Layer {
    let width = geometry.width, inner = try widened(width)
    var inside = geometry
    inside.stride = 1
    func pointwise(_ name: String, _ inputs: Int, _ outputs: Int) throws -> NamedLayer {
      try net.convolution(name, inputs, outputs, bias: true, isFixed: geometry.isFixed)
    }
    let main: [NamedLayer] = [
      try spatial("conv1", net, inside, channels: width, bias: true),
      ("norm", LayerNormalization(channels: width)),
      try pointwise("conv2", width, inner), ("gelu", GELU()), try pointwise("conv3", inner, width),
    ]
    let name = description.block.printedName, block: any Layer
    if description.shortcut == .none {
      block = Sequential(main, printedName: name)
    } else {
      let scale = ChannelScale(channels: width, value: description.startsAsIdentity ? 0 : 1e-6)
      block = Residual(main + [("scale", scale)], printedName: name)
    }
    guard geometry.stride != 1 || geometry.inputs != width else { return block }
    // As wide as the stride; no kernel takes its place, as none takes the stem's.
    let downsampling = Sequential(numbered: [
      LayerNormalization(channels: geometry.inputs),
      try net["downsample"].convolution(
        "1", geometry.inputs, width, window: geometry.stride, stride: geometry.stride, padding: 0, bias: true,
        isFixed: true
      ).layer,
    ])
    return Sequential([("downsample", downsampling), ("", block)])
  }

  /// RepVGG's (Ding et al., 2021, arXiv:2101.03697). Where a plain convolution has the kernel's place, inference merges the
  /// branches into one.
  func repVGG(_ net: NetworkBuilder, _ geometry: BlockGeometry) throws -> any Layer {
    let inputs = geometry.inputs, outputs = geometry.width, name = description.block.printedName
    let dense = try spatial("conv", net["dense"], geometry, channels: inputs, outputs: outputs)
    func normalized(_ convolution: NamedLayer) -> Sequential {
      Sequential([convolution, ("bn", BatchNormalization(channels: outputs))])
    }
    if description.shortcut == .none {
      return Sequential([("dense", normalized(dense)), ("relu", ReLU())], printedName: name)
    }
    let point = try net["point"].convolution(
      "conv", inputs, outputs, stride: geometry.stride, isFixed: geometry.isFixed)
    let hasIdentity = geometry.stride == 1 && inputs == outputs
    let branches: any Layer
    if let merged = MergedBranches(dense.layer, point.layer, identity: hasIdentity, printedName: name) {
      net.standsForAll(of: "dense.conv")
      branches = merged
    } else {
      let identity: [NamedLayer] =
        hasIdentity ? [("identity", BatchNormalization(channels: outputs))] : []
      branches = Branches(
        [("dense", normalized(dense)), ("point", normalized(point))] + identity, join: .sum)
    }
    return Sequential([("", branches), ("relu", ReLU())], printedName: name)
  }

  /// The block's k×k convolution, or what replaces it.
  private func spatial(
    _ name: String, _ net: NetworkBuilder, _ geometry: BlockGeometry, channels: Int, outputs: Int? = nil,
    bias: Bool = false
  ) throws -> NamedLayer {
    try net.convolution(
      name, channels, outputs ?? channels, window: description.window, stride: geometry.stride,
      dilation: geometry.dilation, bias: bias, isFixed: geometry.isFixed)
  }

  /// The channels inside a block that has so many outside.
  private func widened(_ channels: Int) throws -> Int {
    let (inner, overflow) = channels.multipliedReportingOverflow(by: description.innerExpansion ?? 1)
    guard !overflow else { throw WorkbenchError("There are too many channels; use fewer.") }
    return inner
  }
}
