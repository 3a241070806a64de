import Layers
import Tensors

/// WTConv: a depthwise window, and the same window over the Haar wavelet bands, whose reach doubles at each level.
struct Wavelet: ComposedKernel {
  let name = "wavelet"
  let family = KernelFamily.branches
  let summary =
    "a depthwise window over each channel and over each band of its wavelet transform; a 1×1 follows if channels change"
  let formula = "y = a · (w ∗ x) + z₁, zᵢ = T⁻¹(bᵢ · (vᵢ ∗ T lᵢ) + [zᵢ₊₁, 0, 0, 0]), T lᵢ = [lᵢ₊₁, …], l₁ = x"
  let paper = "Finder et al., 2024, arXiv:2407.05848"
  let options: [any AnyKernelOption] = [
    levels, KernelOptions.pointwise, KernelOptions.window, KernelOptions.dilation,
  ]

  private static let levels = KernelOption(
    "levels", .whole(1...16), initial: 1,
    help: "the number of levels; each transforms the coarsest band again")

  /// Each channel is separate, whatever the place's groups.
  var ignoresGroups: Bool { true }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, channels = whole.inputChannels
    if whole.taps == 1 { return try site.pointwise() }
    let stride = try whole.evenStride(of: name)
    let (bands, overflow) = channels.multipliedReportingOverflow(by: 4)
    guard !overflow else { throw WorkbenchError("There are too many channels; use fewer.") }
    let each = try whole.with(outputChannels: channels, groups: channels)
    let inside = try whole.with(
      inputChannels: bands, outputChannels: bands, stride: Pair(1), groups: bands)
    var tower: (any Layer)?
    for level in (1...site.options[Self.levels]).reversed() {
      let window = try scaled(site, "level\(level)", inside, scale: 0.1)
      tower = WaveletDomain(window, next: tower)
    }
    let subsampling = PaddingShortcut(stride: stride, inputs: channels, outputs: channels)
    let stages: [(any Layer)?] = [tower, stride > 1 ? subsampling : nil]
    let both = Branches(
      [
        try scaled(site, "base", each, scale: 1, bias: site.bias && !site.mixes),
        ("wavelet", Sequential(stages.compactMap { $0 }.map { ("", $0) })),
      ], join: .sum)
    return ComposedLayer(site, [("", both)] + (try site.mixing()))
  }

  /// A convolution whose filter has a learned scale for each output.
  private func scaled(
    _ site: KernelSite, _ name: String, _ geometry: ConvolutionGeometry, scale: Float, bias: Bool = false
  ) throws -> NamedLayer {
    var random = site.random.split(name)
    let weights = Product().initialization.weights(geometry.weightShape, using: &random)
    let inner = KernelSite(geometry: geometry, bias: bias, algorithm: site.algorithm)
    return (name, try ConvolutionLayer(inner, weights: ScaledWeights(weights, scale: scale)))
  }
}
