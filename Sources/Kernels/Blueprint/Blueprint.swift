import Layers
import Tensors

/// Blueprint separable convolution: each output's window is one pattern for all inputs.
struct Blueprint: ComposedKernel {
  let name = "blueprint"
  let family = KernelFamily.stages
  let summary = "1×1 to fewer channels, 1×1 to the outputs, then a k×k convolution of each channel separately"
  let formula = "y[p, o] = Σ over t of u[p·s + t, o] · v[t, o], u = w₂ · (w₁ · x) at each pixel"
  let paper = "Haase and Amthor, 2020, arXiv:2003.13549"
  let options: [any AnyKernelOption] = [share, KernelOptions.dilation]

  private static let share = KernelOption(
    "share", .number(0...1), initial: 0.25,
    help: "the channels between the 1×1s, of the inputs (BSConv-S); 0: a single 1×1 (BSConv-U)")

  /// The 1×1s mix all channels, whatever the place's groups.
  var ignoresGroups: Bool { true }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, share = site.options[Self.share], outputs = whole.outputChannels
    if whole.taps == 1 { return try site.pointwise() }
    let inner = max(1, Int((Double(whole.inputChannels) * share).rounded(.up)))
    let points =
      try share > 0
      ? [("pointwise1", whole.pointwise(to: inner)), ("pointwise2", whole.pointwise(from: inner))]
      : [("pointwise", whole.pointwise())]
    let depthwise = try whole.with(inputChannels: outputs, groups: outputs)
    return ComposedLayer(site, try site.stages(points + [("depthwise", depthwise)], rectified: false))
  }
}
