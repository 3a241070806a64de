import Layers
import Tensors

/// Involution: the weights of each pixel's window are computed from that pixel, and shared by the channels of a
/// group.
struct Involution: ComposedKernel {
  let name = "involution"
  let family = KernelFamily.imageWeights
  let summary =
    "a window whose weights are computed from each pixel, shared by the channels of a group; a 1×1 follows if channels change"
  let formula = "y[p, c] = Σ over t of x[p·s + t, c] · w[p, t, g(c)], w[p] = v · relu(bn(u · x[p·s])) + b"
  let paper = "Li et al., 2021, arXiv:2103.06255"
  let options: [any AnyKernelOption] = [
    reduction, KernelOptions.shared, KernelOptions.pointwise, KernelOptions.window, KernelOptions.dilation,
  ]

  private static let reduction = KernelOption(
    "reduction", .count, initial: 4,
    help: "how many times fewer channels the layer that computes the weights has")

  /// Groups of the place have no meaning here.
  var ignoresGroups: Bool { true }

  func biasRefusal(at site: KernelSite) -> String? {
    site.geometry.taps == 1 || site.mixes
      ? nil : "involution has a bias only where a 1×1 follows; leave it out."
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, channels = whole.inputChannels
    if whole.taps == 1 { return try site.pointwise() }
    let narrow = max(1, channels / site.options[Self.reduction])
    let shared = channels.largestDivisor(upTo: site.options[KernelOptions.shared])
    let reduce = try whole.with(
      outputChannels: narrow, kernel: Pair(1), padding: Padding(Pair(0)), dilation: Pair(1))
    // Its 1×1 works on the pixels of the output, whatever the padding.
    try whole.checkKeepsSize()
    let weights = Sequential([
      try site.convolution("reduce", reduce), ("bn", BatchNormalization(channels: narrow)),
      ("relu", ReLU()),
      try site.convolution(
        "span", whole.pointwise(from: narrow, to: channels / shared * whole.taps), bias: true),
    ])
    let moving = try PixelWeights(whole.with(outputChannels: channels), shared: shared, weights: weights)
    return ComposedLayer(site, [("", moving)] + (try site.mixing()))
  }
}
