import Layers
import Tensors

/// A regression network of three inputs: MEAN_Spot (Liong, See and Chan, 2022, "Spot-then-recognize: A micro-expression
/// analysis network for seamless evaluation of long videos", Signal Processing: Image Communication, 116875).
///
/// Each 42×42×1 image has its own branch: a 5×5 convolution with ReLU, batch normalisation, 3×3 max pooling of
/// stride 3, dropout. The branches' channels follow one another; a joint 5×5 convolution with ReLU, 2×2 max pooling,
/// dropout and a linear layer follow. `mean_spot_cbam` has CBAM (Woo et al., 2018, arXiv:1807.06521) after the joint
/// convolution. The three images are the channels of one.
///
/// The authors' source is written in Keras (genbing99/MEAN_Spot-then-recognize on GitHub), whose terms are: `same`
/// padding (the poolings' windows fit 42 and 14 pixels, so only the convolutions are padded), weights by Glorot and
/// Bengio's uniform rule and biases 0, normalisation with ε = 0.001 and momentum 0.99 (PyTorch's 0.01), and L2 of 0.001
/// and 0.1 on the convolutions' weights. Flattened values are in PyTorch's order, channel by channel, not in Keras's,
/// pixel by pixel.
enum MeanSpot {
  static let family = ModelFamily(
    name: "mean spot", source: "MEAN_Spot (Liong et al., 2022), a regression on three small images",
    models: [model("mean_spot", hasAttention: false), model("mean_spot_cbam", hasAttention: true)])

  private static func model(_ name: String, hasAttention: Bool) -> Model {
    Model(name, extent: extent, classes: 1, hasPenalties: true, revision: 2, printedName: "MeanSpot") {
      try body($0, hasAttention: hasAttention)
    }
  }

  private static let images = 3, extent = 42

  private static func body(_ net: NetworkBuilder, hasAttention: Bool) throws -> any Layer {
    guard net.description.inputChannels == images else {
      throw WorkbenchError(
        "\(net.description.name) reads three images of one channel, so its input has 3 channels, not \(net.description.inputChannels)."
      )
    }
    let widths = [3, 3, 8], joint = 8
    let branches = try zip(1..., widths).map { number, width in
      try branch(net, "branch\(number)", width)
    }
    let attention =
      try hasAttention ? [net.attention("cbam", channels: joint, reduction: 4)] : []
    let features = Sequential(
      [
        ("", Branches(branches, join: .concatenation, inputs: widths.map { _ in 1 })),
        try net.convolution(
          "conv", widths.reduce(0, +), joint, window: 5, bias: true, start: .xavier(.uniform), penalty: 0.1),
        ("relu", ReLU()),
      ] + attention + [
        ("pool", MaxPooling(try PoolingWindow(size: 2, stride: 2))), ("flatten", Flatten()),
        net.dropout("dropout", 0.2),
      ])
    let image = FeatureShape(batch: 1, height: extent, width: extent, channels: images)
    let linear = try net.classifier(
      "fc", features.outputShape(for: image).channels, start: .xavier(.uniform), zeroBias: true)
    return Sequential([("", features), linear])
  }

  /// The layers of one image before the branches are joined.
  private static func branch(_ net: NetworkBuilder, _ name: String, _ width: Int) throws -> NamedLayer {
    let part = net[name]
    return (
      name,
      Sequential([
        try part.convolution(
          "conv", 1, width, window: 5, bias: true, start: .xavier(.uniform), penalty: 0.001, isFixed: true),
        ("relu", ReLU()), ("bn", BatchNormalization(channels: width, epsilon: 0.001, momentum: 0.01)),
        ("pool", MaxPooling(try PoolingWindow(size: 3, stride: 3))), part.dropout("dropout", 0.3),
      ])
    )
  }
}
