import Layers
import Tensors

/// SqueezeNet 1.1 (Iandola et al., 2016, arXiv:1602.07360), torchvision's.
enum SqueezeNet {
  static let family = ModelFamily(
    name: "SqueezeNet", source: "Iandola et al., 2016, arXiv:1602.07360; torchvision's",
    models: [
      Model("squeezenet1_1", classifier: "classifier.1.bias", printedName: "SqueezeNet", body: body)
    ])

  private static func body(_ net: NetworkBuilder) throws -> any Layer {
    let pooling = try PoolingWindow(size: 3, stride: 2), features = net["features"]
    var layers: [any Layer] = [
      try features.convolution(
        "0", net.description.inputChannels, 64, window: 3, stride: 2, padding: 0, bias: true,
        start: .he(.input, .uniform), isFixed: true
      ).layer,
      ReLU(),
    ]
    var channels = 64
    // The widths inside and of each half of the output; a pooling comes before those with even ones.
    for group in [
      [(16, 64), (16, 64)], [(32, 128), (32, 128)], [(48, 192), (48, 192), (64, 256), (64, 256)],
    ] {
      layers.append(MaxPooling(pooling, roundsUp: true))
      for (squeeze, expand) in group {
        layers.append(try fire(features["\(layers.count)"], channels, squeeze, expand))
        channels = 2 * expand
      }
    }
    let head = net["classifier"]
    return Sequential([
      ("features", Sequential(numbered: layers)),
      (
        "classifier",
        Sequential([
          head.dropout("0", 0.5),
          try head.convolution(
            "1", channels, net.description.classes, bias: true, start: .normal(deviation: 0.01)),
          ("2", ReLU()), ("3", AdaptiveAveragePooling()),
        ])
      ),
    ])
  }

  /// 1×1 to few channels, then 1×1 and 3×3 in parallel.
  private static func fire(_ net: NetworkBuilder, _ inputs: Int, _ squeeze: Int, _ expand: Int) throws
    -> any Layer
  {
    func expansion(_ window: Int) throws -> NamedLayer {
      let name = "expand\(window)x\(window)"
      let convolution = try net.convolution(
        name, squeeze, expand, window: window, bias: true, start: .he(.input, .uniform))
      return ("", Sequential([convolution, (name + "_activation", ReLU())]))
    }
    return Sequential(
      [
        try net.convolution("squeeze", inputs, squeeze, bias: true, start: .he(.input, .uniform)),
        ("squeeze_activation", ReLU()),
        ("", Branches([try expansion(1), try expansion(3)], join: .concatenation)),
      ], printedName: "Fire")
  }
}
