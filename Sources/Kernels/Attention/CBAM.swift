import Layers
import Tensors

/// Convolutional block attention: a factor for each channel, then one for each pixel.
struct CBAM: WrappingKernel {
  let name = "cbam"
  let summary = "another kernel, then each channel and each pixel times a factor made of means and maxima"
  let formula =
    "v = u · σ(f(mean(u)) + f(max(u))), y = v · σ(w ∗ [mean over c of v, max over c of v]), f two layers, w 7×7"
  let paper = "Woo et al., 2018, arXiv:1807.06521"
  let options: [any AnyKernelOption] = [Attention.reduction, window, KernelOptions.around]

  private static let window = KernelOption(
    "window", .odd(1...255), initial: 7, help: "the extent of the window over pixels")

  var inner = KernelChoice.standard

  func attention(_ site: KernelSite) throws -> [NamedLayer] {
    try Attention.cbam(
      site, reduction: site.options[Attention.reduction], window: site.options[Self.window])
  }
}

/// Gates that stand after other layers.
package enum Attention {
  /// How narrow the layer is that makes the channels' factors.
  static let reduction = KernelOption(
    "reduction", .count, initial: 16, help: "how many times fewer channels the narrow layer has")

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
