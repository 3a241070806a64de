import Layers
import Tensors

/// DCNv3 and DCNv4: each pixel gathers channels at learned offsets, with predicted factors instead of weights.
struct DCN: ComposedKernel {
  /// Version 3 predicts positions from a depthwise convolution's output, and factors by a softmax over the taps.
  /// Version 4 predicts both from the input, with unbounded factors.
  enum Version: Sendable { case v3, v4 }

  let version: Version

  var name: String { version == .v3 ? "dcnv3" : "dcnv4" }
  let family = KernelFamily.positions
  var summary: String {
    "a 1×1, then for each group of channels a weighted sum of samples at learned offsets, \(version == .v3 ? "weights by a softmax over the taps" : "weights without bounds"), then a 1×1"
  }
  var formula: String {
    "y[p] = w · [Σ over t of m[p, g, t] · v(p·s + t + Δ[p, g, t]) for each group g], v = u · x, "
      + (version == .v3
        ? "m = softmax over t of (b · z), Δ = a · z, z = gelu(norm(d ∗ x))" : "m = b · x, Δ = a · x")
  }
  var paper: String {
    version == .v3 ? "Wang et al., 2022, arXiv:2211.05778" : "Xiong et al., 2024, arXiv:2401.06197"
  }
  let options: [any AnyKernelOption] = [KernelOptions.shared, KernelOptions.dilation]

  /// The 1×1s mix all channels, whatever the place's groups.
  var ignoresGroups: Bool { true }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, channels = whole.inputChannels, taps = whole.taps
    if taps == 1 { return try site.pointwise() }
    try whole.checkKeepsSize()
    let shared = channels.largestDivisor(upTo: site.options[KernelOptions.shared])
    let slots = channels / shared * taps
    let offset = try predictor(site, "offset", 2 * slots, rateFactor: 0.01)
    for named in offset.parameters { named.parameter.role = .position }
    let mask = try predictor(site, "mask", slots, rateFactor: 1)
    // At the start each sample has the same share of the window.
    if version == .v4 { mask.bias?.value = Tensor(repeating: 1 / Float(taps), [slots]) }
    let softmax: NamedLayer = ("softmax", ChannelSoftmax(over: taps))
    let gathering = GatheredSamples(
      try whole.with(outputChannels: channels),
      value: try site.convolution("value", whole.pointwise(to: channels), bias: true).layer,
      features: version == .v3 ? try features(site) : nil, offset: offset,
      mask: Sequential([("", mask)] + (version == .v3 ? [softmax] : [])))
    return ComposedLayer(
      site, [("", gathering), try site.convolution("output", whole.pointwise(), bias: true)])
  }

  /// A 1×1 convolution that starts at zero, with an output for each output pixel.
  private func predictor(_ site: KernelSite, _ name: String, _ outputs: Int, rateFactor: Double) throws
    -> ConvolutionLayer
  {
    let point = try site.geometry.with(
      outputChannels: outputs, kernel: Pair(1), padding: Padding(Pair(0)), dilation: Pair(1))
    return try ConvolutionLayer(
      KernelSite(geometry: point, bias: true, algorithm: site.algorithm, random: site.random.split(name)),
      initialization: .zeros, rateFactor: rateFactor)
  }

  /// The features from which version 3 predicts positions and factors.
  private func features(_ site: KernelSite) throws -> any Layer {
    let channels = site.geometry.inputChannels
    let each = try site.geometry.with(outputChannels: channels, stride: Pair(1), groups: channels)
    return Sequential([
      try site.convolution("conv", each, bias: true), ("norm", LayerNormalization(channels: channels)),
      ("act", GELU()),
    ])
  }
}
