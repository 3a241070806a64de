import Layers
import Tensors

/// Convolutional block attention: a factor for each channel, then one for each pixel.
struct CBAM: WrappingKernel {
  let name = "cbam"
  let summary = "another kernel, then each channel and each pixel times a factor made of means and maxima"
  let formula =
    "v = u · σ(f(mean(u)) + f(max(u))), y = v · σ(w ∗ [mean over c of v, max over c of v]), f two layers, w 7×7"
  let paper = "Woo et al., 2018, arXiv:1807.06521"
  let options = [
    KernelOption(
      "reduction", .count, initial: "16", help: "the narrow layer has so many times fewer channels"),
    KernelOption("window", .count, initial: "7", help: "the extent of the window over pixels, odd"),
    aroundOption,
  ]
  var inner = KernelChoice.standard

  func attention(_ site: KernelSite) throws -> [(name: String, layer: any Layer)] {
    let channels = site.geometry.outputChannels, narrow = max(1, channels / site.options.count("reduction"))
    let window = site.options.count("window")
    guard window % 2 == 1, window <= 255 else {
      throw WorkbenchError("The window of cbam is \(window); it must be odd and at most 255.")
    }
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

extension KernelChoice {
  /// This kernel with CBAM's attention behind it.
  public func withCBAM(reduction: Int) throws -> KernelChoice {
    let cbam = CBAM(inner: self)
    return KernelChoice(
      item: "cbam:reduction=\(reduction):around=\(item)", kernel: cbam,
      options: try KernelOptions([("reduction", "\(reduction)")], of: cbam))
  }
}
