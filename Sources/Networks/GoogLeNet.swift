import Layers
import Tensors

/// GoogLeNet without its auxiliary classifiers (Szegedy et al., 2014, arXiv:1409.4842), torchvision's: with batch
/// normalisation, and 3×3 where the paper has 5×5.
enum GoogLeNet {
  static let family = ModelFamily(
    name: "GoogLeNet", source: "Szegedy et al., 2014, arXiv:1409.4842; torchvision's, no auxiliary heads",
    models: [Model("googlenet", printedName: "GoogLeNet", body: body)])

  /// Channels of the four branches of an inception: 1×1; 1×1 and 3×3; 1×1 and 3×3; after the pooling.
  private typealias Widths = (Int, (Int, Int), (Int, Int), Int)

  private static let inceptions: [(stage: Int, widths: [Widths])] = [
    (3, [(64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64)]),
    (
      4,
      [
        (192, (96, 208), (16, 48), 64), (160, (112, 224), (24, 64), 64), (128, (128, 256), (24, 64), 64),
        (112, (144, 288), (32, 64), 64), (256, (160, 320), (32, 128), 128),
      ]
    ),
    (5, [(256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128)]),
  ]

  private static func body(_ net: NetworkBuilder) throws -> any Layer {
    let wide = MaxPooling(try PoolingWindow(size: 3, stride: 2), roundsUp: true)
    var layers: [NamedLayer] = [
      try activated(
        net, "conv1", net.description.inputChannels, 64, window: 7, stride: 2, isFixed: true),
      ("maxpool1", wide), try activated(net, "conv2", 64, 64),
      try activated(net, "conv3", 64, 192, window: 3),
    ]
    var channels = 192
    for (stage, widths) in inceptions {
      let window = try PoolingWindow(size: stage == 5 ? 2 : 3, stride: 2)
      layers.append(("maxpool\(stage - 1)", MaxPooling(window, roundsUp: true)))
      for (letter, widths) in zip("abcde", widths) {
        let name = "inception\(stage)\(letter)"
        layers.append((name, try inception(net[name], channels, widths)))
        channels = widths.0 + widths.1.1 + widths.2.1 + widths.3
      }
    }
    layers += [
      ("avgpool", AdaptiveAveragePooling()), net.dropout("dropout", 0.2),
      try net.classifier("fc", channels, start: .normal(deviation: 0.01)),
    ]
    return Sequential(layers)
  }

  private static func inception(_ net: NetworkBuilder, _ inputs: Int, _ widths: Widths) throws -> any Layer {
    func reduced(_ name: String, _ widths: (Int, Int)) throws -> NamedLayer {
      let part = net[name]
      return (
        name,
        Sequential([
          try activated(part, "0", inputs, widths.0), try activated(part, "1", widths.0, widths.1, window: 3),
        ])
      )
    }
    let pooling = MaxPooling(try PoolingWindow(size: 3, stride: 1, padding: 1), roundsUp: true)
    let pooled = Sequential([("0", pooling), try activated(net["branch4"], "1", inputs, widths.3)])
    return Branches(
      [
        try activated(net, "branch1", inputs, widths.0), try reduced("branch2", widths.1),
        try reduced("branch3", widths.2), ("branch4", pooled),
      ], join: .concatenation, printedName: "Inception")
  }

  /// A convolution, its normalisation and ReLU.
  private static func activated(
    _ net: NetworkBuilder, _ name: String, _ inputs: Int, _ outputs: Int, window: Int = 1, stride: Int = 1,
    isFixed: Bool = false
  ) throws -> NamedLayer {
    let convolution = try net[name].convolution(
      "conv", inputs, outputs, window: window, stride: stride, start: .normal(deviation: 0.01),
      isFixed: isFixed)
    return (
      name,
      Sequential(
        [convolution, ("bn", BatchNormalization(channels: outputs, epsilon: 0.001)), ("", ReLU())],
        printedName: "BasicConv2d")
    )
  }
}
