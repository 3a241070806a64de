import Layers
import Tensors

/// Atrous spatial pyramid pooling: dilated windows in parallel.
struct ASPP: ComposedKernel {
  let name = "aspp"
  let family = KernelFamily.branches
  let summary =
    "a 1×1, dilated 3×3s and the image's mean in parallel, each with a quarter of the outputs, then a 1×1"
  let formula = "y = w ∗ [relu(w₁ ∗ x), relu(w_r ∗_r x) for each rate r, relu(w_m · mean(x))]"
  let paper = "Chen et al., 2017, arXiv:1706.05587"
  let options: [any AnyKernelOption] = [rates, pooling, normalization]

  private static let rates = KernelOption(
    "rates", .list(1...8), initial: [6, 12, 18], help: "the dilations of the 3×3s")
  private static let pooling = KernelOption(
    "pooling", .either(), initial: true, help: "whether the image's mean is a branch")
  private static let normalization = KernelOption(
    "normalization", .either(on: "batch", off: "none"), initial: false,
    help: "batch: each convolution but the last is normalised, as in DeepLab")

  /// It mixes all channels, whatever the place's groups.
  var ignoresGroups: Bool { true }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry
    if whole.taps == 1 { return try site.pointwise() }
    try whole.checkKeepsSize()
    let width = max(1, whole.outputChannels / 4),
      isNormalized = site.options[Self.normalization]
    func branch(
      _ name: String, _ geometry: ConvolutionGeometry, after first: [NamedLayer] = []
    )
      throws -> NamedLayer
    {
      let normalization: [NamedLayer] =
        isNormalized ? [("bn", BatchNormalization(channels: width))] : []
      let convolution = try site.convolution(name, geometry).layer
      return (name, Sequential(first + [("conv", convolution)] + normalization + [("relu", ReLU())]))
    }
    var branches = [try branch("point", whole.centered(1, to: width))]
    for (index, rate) in site.options[Self.rates].enumerated() {
      branches.append(try branch("rate\(index + 1)", whole.centered(3, to: width, dilated: rate)))
    }
    if site.options[Self.pooling] {
      let pooled = try branch("pool", whole.pointwise(to: width), after: [("mean", AdaptiveAveragePooling())])
      branches.append(
        ("pool", Resized(pooled.layer, every: (whole.stride.height, whole.stride.width))))
    }
    let projection = try site.convolution(
      "project", whole.pointwise(from: width * branches.count), bias: site.bias)
    return ComposedLayer(site, [("branches", Branches(branches, join: .concatenation)), projection])
  }
}
