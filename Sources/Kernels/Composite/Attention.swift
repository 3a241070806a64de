import Layers
import Tensors

/// Gates after other layers, for kernels and models.
package enum Attention {
  /// The reduction of the bottleneck layer that computes the channels' factors.
  static let reduction = KernelOption(
    "reduction", .count, initial: 16, help: "how many times fewer channels the bottleneck layer has")

  /// CBAM's two gates on feature maps of some channels, without a kernel inside.
  package static func cbam(channels: Int, reduction: Int, random: Random) throws -> [NamedLayer] {
    let place = try ConvolutionGeometry(inputChannels: channels, outputChannels: channels, kernel: Pair(1))
    return try cbam(KernelSite(geometry: place, random: random), reduction: reduction, window: 7)
  }

  /// A factor for each channel of a site's output, then one for each pixel.
  static func cbam(_ site: KernelSite, reduction: Int, window: Int) throws -> [NamedLayer] {
    let channels = site.geometry.outputChannels, narrow = max(1, channels / reduction)
    let shared = Sequential([
      try site.convolution("fc1", site.geometry.pointwise(from: channels, to: narrow)), ("relu", ReLU()),
      try site.convolution("fc2", site.geometry.pointwise(from: narrow, to: channels)),
    ])
    let pixels = try ConvolutionGeometry(
      inputChannels: 2, outputChannels: 1, kernel: Pair(window), padding: Padding(Pair(window / 2)))
    return [
      ("channel", Gate(Sequential([("mlp", MeanAndMaximum(shared)), ("sigmoid", Sigmoid())]))),
      (
        "spatial",
        Gate(
          Sequential([
            ("pool", ChannelPooling()), try site.convolution("conv", pixels), ("sigmoid", Sigmoid()),
          ]))
      ),
    ]
  }
}
