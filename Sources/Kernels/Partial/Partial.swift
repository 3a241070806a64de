import Layers
import Tensors

/// FasterNet's partial convolution: a k×k convolution of some channels, the others stay as they are.
struct Partial: ComposedKernel {
  let name = "partial"
  let family = KernelFamily.branches
  let summary =
    "k×k convolution of the first channels, while the others stay; a 1×1 follows if channels change"
  let formula = "y = [w ∗ x[0 ..< C/r], x[C/r ..< C]], channels one after another"
  let paper = "Chen et al., 2023, arXiv:2303.03667"
  let options: [any AnyKernelOption] = [ratio, KernelOptions.pointwise, KernelOptions.dilation]

  private static let ratio = KernelOption(
    "ratio", .count, initial: 4, help: "the number of channels for each convolved one")

  /// It mixes the convolved channels, and the 1×1 mixes all, whatever the place's groups.
  var ignoresGroups: Bool { true }

  func biasRefusal(at site: KernelSite) -> String? {
    site.geometry.taps == 1 || site.mixes
      ? nil : "partial leaves channels as they are, without a bias; leave it out."
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, inputs = whole.inputChannels
    if whole.taps == 1 { return try site.pointwise() }
    let stride = try whole.evenStride(of: name)
    let part = max(1, inputs / site.options[Self.ratio]), rest = inputs - part
    let convolved = try site.convolution("conv", whole.with(inputChannels: part, outputChannels: part))
    let kept: NamedLayer = ("rest", PaddingShortcut(stride: stride, inputs: rest, outputs: rest))
    let both = Branches(
      rest == 0 ? [convolved] : [convolved, kept], join: .concatenation,
      inputs: rest == 0 ? [part] : [part, rest])
    return ComposedLayer(site, [("", both)] + (try site.mixing()))
  }
}
