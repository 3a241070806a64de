import Layers
import Tensors

/// Xception (Chollet, 2016, arXiv:1610.02357), under the names of timm's `legacy_xception`.
enum Xception {
  static let family = ModelFamily(
    name: "Xception", source: "Chollet, 2016, arXiv:1610.02357; timm's legacy_xception",
    models: [Model("xception", extent: 299, printedName: "Xception", body: body)])

  private static func body(_ net: NetworkBuilder) throws -> any Layer {
    var layers: [NamedLayer] = [
      try net.convolution(
        "conv1", net.description.inputChannels, 32, window: 3, stride: 2, padding: 0, isFixed: true),
      ("bn1", BatchNormalization(channels: 32)), ("act1", ReLU()),
      try net.convolution("conv2", 32, 64, window: 3, padding: 0),
      ("bn2", BatchNormalization(channels: 64)), ("act2", ReLU()),
    ]
    // The widths after each separable convolution of the twelve blocks.
    let widths =
      [[128, 128], [256, 256], [728, 728]] + Array(repeating: [728, 728, 728], count: 8) + [[728, 1024]]
    var channels = 64
    for (number, widths) in zip(1..., widths) {
      layers.append(
        ("block\(number)", try block(net["block\(number)"], channels, widths, isFirst: number == 1)))
      channels = widths[widths.count - 1]
    }
    for (number, width) in [(3, 1536), (4, 2048)] {
      layers += [
        ("conv\(number)", try separable(net["conv\(number)"], channels, width)),
        ("bn\(number)", BatchNormalization(channels: width)), ("act\(number)", ReLU()),
      ]
      channels = width
    }
    layers += [("global_pool", AdaptiveAveragePooling()), try net.classifier("fc", channels)]
    return Sequential(layers)
  }

  /// Separable convolutions, each after a ReLU but for the network's first; where channels change, the image is
  /// halved, and the shortcut is a 1×1 convolution.
  private static func block(_ net: NetworkBuilder, _ inputs: Int, _ widths: [Int], isFirst: Bool) throws
    -> any Layer
  {
    let part = net["rep"], outputs = widths[widths.count - 1]
    var layers: [any Layer] = [], channels = inputs
    for width in widths {
      if !(isFirst && layers.isEmpty) { layers.append(ReLU()) }
      layers.append(try separable(part["\(layers.count)"], channels, width))
      layers.append(BatchNormalization(channels: width))
      channels = width
    }
    guard inputs != outputs else {
      return Residual([("rep", Sequential(numbered: layers))], printedName: "Block")
    }
    layers.append(MaxPooling(try PoolingWindow(size: 3, stride: 2, padding: 1)))
    let shortcut = Sequential([
      try net.convolution("skip", inputs, outputs, stride: 2),
      ("skipbn", BatchNormalization(channels: outputs)),
    ])
    return Residual(
      [("rep", Sequential(numbered: layers))], shortcut: ("", shortcut), printedName: "Block")
  }

  /// Each channel's own 3×3, then 1×1.
  private static func separable(_ net: NetworkBuilder, _ inputs: Int, _ outputs: Int) throws -> any Layer {
    Sequential(
      [
        try net.convolution("conv1", inputs, inputs, window: 3, groups: inputs),
        try net.convolution("pointwise", inputs, outputs),
      ], printedName: "SeparableConv2d")
  }
}
