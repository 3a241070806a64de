import Layers
import Tensors

/// GhostNet's module: a convolution for a part of the outputs, from which small windows compute the others.
struct Ghost: ComposedKernel {
  let name = "ghost"
  let family = KernelFamily.stages
  let summary = "k×k convolution for a part of the outputs; the others are small depthwise windows over these"
  let formula = "y = [u, v ∗ u], u = w ∗ x with 1/r of the outputs, v r − 1 windows over each channel of u"
  let paper = "Han et al., 2019, arXiv:1911.11907"
  let options: [any AnyKernelOption] = [ratio, small, KernelOptions.dilation]

  private static let ratio = KernelOption(
    "ratio", .count, initial: 2,
    help: "the most outputs for each convolved one; the largest divisor of the outputs up to it is used")
  private static let small = KernelOption(
    "small", .odd(1...255), initial: 3, help: "the size of the small windows")

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, window = Pair(site.options[Self.small])
    let ratio = whole.outputsPerGroup.largestDivisor(upTo: site.options[Self.ratio])
    let count = whole.outputChannels / ratio, others = whole.outputChannels - count
    let primary = try site.convolution("primary", whole.with(outputChannels: count), bias: site.bias)
    guard others > 0 else { return ComposedLayer(site, [primary]) }
    let cheap = try ConvolutionGeometry(
      inputChannels: count, outputChannels: others, kernel: window,
      padding: Padding(Pair(window.height / 2)), groups: count)
    let both = Branches(
      [
        ("same", PaddingShortcut(stride: 1, inputs: count, outputs: count)),
        try site.convolution("cheap", cheap, bias: site.bias),
      ], join: .concatenation)
    return ComposedLayer(site, [primary, ("", both)])
  }
}
