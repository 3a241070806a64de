import Layers
import Tensors

/// RepLKNet's convolution: a large depthwise window, and in training a small one beside it.
struct LargeKernel: ComposedKernel {
  let name = "large-kernel"
  let family = KernelFamily.weights
  let summary =
    "a large and a small window over each channel separately, each normalised; one large in inference"
  let formula =
    "y[p, c] = bn₁(Σ over t of x[p·s + t, c] · w[t, c]) + bn₂(Σ over u of x[p·s + u, c] · v[u, c])"
  let paper = "Ding et al., 2022, arXiv:2203.06717"
  let options: [any AnyKernelOption] = [window, small, KernelOptions.dilation]

  private static let window = KernelOption(
    "window", .oddSize(1...255), initial: Pair(13), help: "the large window's extent; RepLKNet has 13 to 31")
  private static let small = KernelOption(
    "small", .oddSize(1...255), initial: Pair(5), help: "the small window's, at most the large one's")

  /// As many groups as divide both numbers of channels; a 1×1 place stays one.
  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    if place.taps == 1 { return place }
    try place.checkKeepsSize()
    return try place.dilated(by: options[KernelOptions.dilation]).centered(options[Self.window])
      .with(groups: place.commonDivisor(atMost: .max))
  }

  func biasRefusal(at site: KernelSite) -> String? { MergedBranches.biasRefusal(at: site, of: name) }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let window = site.geometry.kernel, small = site.options[Self.small]
    if site.geometry.taps == 1 { return try site.pointwise() }
    return try MergedBranches(
      site, of: name, printedName: "ReparamLargeKernelConv",
      windows: [
        ("large", window),
        ("small", Pair(min(small.height, window.height), min(small.width, window.width))),
      ])
  }
}
