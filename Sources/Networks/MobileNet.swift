import Layers
import Tensors

/// MobileNets: version 1 (Howard et al., 2017, arXiv:1704.04861) as timm's `mobilenetv1_100`, version 2 (Sandler et
/// al., 2018, arXiv:1801.04381) as torchvision's.
enum MobileNet {
  static let family = ModelFamily(
    name: "MobileNet",
    source:
      "Howard et al., 2017, arXiv:1704.04861, timm's; Sandler et al., 2018, arXiv:1801.04381, torchvision's",
    models: [
      Model("mobilenet_v1", classifier: "classifier.bias", printedName: "MobileNetV1", body: version1),
      Model("mobilenet_v2", classifier: "classifier.1.bias", printedName: "MobileNetV2", body: version2),
    ])

  private static func version1(_ net: NetworkBuilder) throws -> any Layer {
    var stages: [any Layer] = [], channels = 32
    for (stage, (width, count)) in [(64, 1), (128, 2), (256, 2), (512, 6), (1024, 2)].enumerated() {
      var blocks: [any Layer] = []
      for block in 0..<count {
        let stride = stage > 0 && block == 0 ? 2 : 1
        blocks.append(
          try separable(net["blocks"]["\(stage)"]["\(block)"], channels, width, stride: stride))
        channels = width
      }
      stages.append(Sequential(numbered: blocks))
    }
    return Sequential([
      try net.convolution(
        "conv_stem", net.description.inputChannels, 32, window: 3, stride: 2, isFixed: true),
      ("bn1", BatchNormalization(channels: 32)), ("act1", ReLU6()), ("blocks", Sequential(numbered: stages)),
      ("global_pool", AdaptiveAveragePooling()), try net.classifier("classifier", channels),
    ])
  }

  /// Each channel's own 3×3, then 1×1.
  private static func separable(_ net: NetworkBuilder, _ inputs: Int, _ outputs: Int, stride: Int) throws
    -> any Layer
  {
    Sequential(
      [
        try net.convolution("conv_dw", inputs, inputs, window: 3, stride: stride, groups: inputs),
        ("bn1", BatchNormalization(channels: inputs)), ("act1", ReLU6()),
        try net.convolution("conv_pw", inputs, outputs),
        ("bn2", BatchNormalization(channels: outputs)), ("act2", ReLU6()),
      ], printedName: "DepthwiseSeparableConv")
  }

  private static func version2(_ net: NetworkBuilder) throws -> any Layer {
    let features = net["features"]
    var layers: [any Layer] = [
      try activated(
        features["0"], net.description.inputChannels, 32, window: 3, stride: 2, isFixed: true)
    ]
    var channels = 32
    for (expansion, width, count, stride) in [
      (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
      (6, 320, 1, 1),
    ] {
      for block in 0..<count {
        layers.append(
          try inverted(
            features["\(layers.count)"], channels, width, expansion: expansion,
            stride: block == 0 ? stride : 1))
        channels = width
      }
    }
    layers.append(try activated(features["\(layers.count)"], channels, 1280))
    let head = net["classifier"],
      linear = try head.classifier("1", 1280, start: .normal(deviation: 0.01), zeroBias: true)
    return Sequential([
      ("features", Sequential(numbered: layers)), ("", AdaptiveAveragePooling()),
      ("classifier", Sequential([head.dropout("0", 0.2), linear])),
    ])
  }

  /// A convolution, its normalisation and ReLU6.
  private static func activated(
    _ net: NetworkBuilder, _ inputs: Int, _ outputs: Int, window: Int = 1, stride: Int = 1, groups: Int = 1,
    isFixed: Bool = false
  ) throws -> any Layer {
    Sequential(
      [
        try net.convolution(
          "0", inputs, outputs, window: window, stride: stride, groups: groups, isFixed: isFixed),
        ("1", BatchNormalization(channels: outputs)), ("2", ReLU6()),
      ], printedName: "Conv2dNormActivation")
  }

  /// 1×1 to more channels, each one's own 3×3, 1×1 back, with an identity shortcut where nothing changes.
  private static func inverted(
    _ net: NetworkBuilder, _ inputs: Int, _ outputs: Int, expansion: Int, stride: Int
  ) throws -> any Layer {
    let inner = expansion * inputs, part = net["conv"]
    var layers: [any Layer] = expansion == 1 ? [] : [try activated(part["0"], inputs, inner)]
    layers.append(
      try activated(part["\(layers.count)"], inner, inner, window: 3, stride: stride, groups: inner))
    layers.append(try part.convolution("\(layers.count)", inner, outputs).layer)
    layers.append(BatchNormalization(channels: outputs))
    let main: [NamedLayer] = [("conv", Sequential(numbered: layers))], name = "InvertedResidual"
    return stride == 1 && inputs == outputs
      ? Residual(main, printedName: name) : Sequential(main, printedName: name)
  }
}
