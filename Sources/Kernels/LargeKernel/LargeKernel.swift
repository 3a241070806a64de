import Layers
import Tensors

/// RepLKNet's convolution: a large depthwise window, in training with a small one in parallel; or SLaK's two stripes.
struct LargeKernel: ComposedKernel {
  let name = "large-kernel"
  let family = KernelFamily.weights
  let summary =
    "a large and a small depthwise window, each normalised, in parallel; one large window in inference"
  let formula =
    "y[p, c] = bn₁(Σ over t of x[p·s + t, c] · w[t, c]) + bn₂(Σ over u of x[p·s + u, c] · v[u, c])"
  let paper = "Ding et al., 2022, arXiv:2203.06717; stripes: Liu et al., 2022, arXiv:2207.03620"
  let options: [any AnyKernelOption] = [window, small, form, KernelOptions.dilation]

  private enum Form: String, CaseIterable { case full, stripes }

  private static let window = KernelOption(
    "window", .oddSize(1...255), initial: Pair(13),
    help: "the size of the large window; RepLKNet has 13 to 31")
  private static let small = KernelOption(
    "small", .oddSize(1...255), initial: Pair(5),
    help: "the size of the small window, at most that of the large one")
  private static let form = KernelOption(
    "form", .word, initial: Form.full,
    help: "stripes: a tall and a wide window, each as narrow as the small one, instead of the large one")

  /// As many groups as divide both numbers of channels; a 1×1 place stays one.
  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    if place.taps == 1 { return place }
    try place.checkKeepsSize()
    return try place.dilated(by: options[KernelOptions.dilation]).centered(options[Self.window])
      .with(groups: place.commonDivisor(atMost: .max))
  }

  func biasRefusal(at site: KernelSite) -> String? { MergedBranches.biasRefusal(at: site, of: name) }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    if site.geometry.taps == 1 { return try site.pointwise() }
    let window = site.geometry.kernel, given = site.options[Self.small]
    let small = Pair(min(given.height, window.height), min(given.width, window.width))
    func merged(_ windows: [(name: String, window: Pair)]) throws -> MergedBranches {
      var own = site
      own.geometry = try site.geometry.centered(windows[0].window)
      return try MergedBranches(own, of: name, printedName: "ReparamLargeKernelConv", windows: windows)
    }
    if site.options[Self.form] == .full { return try merged([("large", window), ("small", small)]) }
    let tall = try merged([("tall", Pair(window.height, small.width))])
    let wide = try merged([("wide", Pair(small.height, window.width)), ("small", small)])
    return ComposedLayer(site, Branches([("", tall), ("", wide)], join: .sum))
  }
}
