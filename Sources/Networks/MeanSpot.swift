import Layers
import Tensors

/// A regression network of three inputs: where spots are in three small images, on average.
///
/// Each 42×42×1 image has a 5×5 convolution of its own, batch normalisation and 3×3 max pooling with stride 3; a joint
/// 5×5 convolution, 2×2 max pooling and a linear layer follow; with CBAM (Woo et al., 2018, arXiv:1807.06521) behind
/// the joint convolution as `mean_spot_cbam`. The images are the channels of one.
enum MeanSpot {
  static let family = ModelFamily(
    name: "mean spot", source: "a regression on three small images",
    models: [
      Model("mean_spot", extent: 42, classes: 1, printedName: "MeanSpot") { try body($0, attention: nil) },
      Model("mean_spot_cbam", extent: 42, classes: 1, printedName: "MeanSpot") { try body($0, attention: 4) },
    ])

  private static func body(_ net: NetworkBuilder, attention: Int?) throws -> any Layer {
    let images = 3, extent = 42
    guard net.description.inputChannels == images else {
      throw WorkbenchError(
        "\(net.description.name) reads three images of one channel, so its input has 3 channels, not \(net.description.inputChannels)."
      )
    }
    let widths = [3, 3, 8], joint = 8
    let branches = try zip(1..., widths).map { number, width -> NamedLayer in
      let name = "branch\(number)"
      return (
        name,
        Sequential([
          try net[name].convolution(
            "conv", 1, width, window: 5, padding: 0, bias: true, start: .pyTorch, isFixed: true),
          ("bn", BatchNormalization(channels: width)),
          ("pool", MaxPooling(try PoolingWindow(size: 3, stride: 3))),
        ])
      )
    }
    let features = Sequential([
      ("", Branches(branches, join: .concatenation, inputs: widths.map { _ in 1 })),
      try net.convolution(
        "conv", widths.reduce(0, +), joint, window: 5, padding: 0, bias: true, start: .pyTorch,
        attention: attention),
      ("pool", MaxPooling(try PoolingWindow(size: 2, stride: 2))), ("flatten", Flatten()),
    ])
    let image = FeatureShape(batch: 1, height: extent, width: extent, channels: images)
    return Sequential([
      ("", features), try net.classifier("fc", features.outputShape(for: image).channels),
    ])
  }
}
