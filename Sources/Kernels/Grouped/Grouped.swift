import Layers
import Tensors

/// A convolution in groups of channels that are convolved separately.
struct Grouped: GroupedKernel {
  let name = "grouped"
  let family = KernelFamily.grid
  let summary = "k×k convolution of groups of channels, each separately"
  let formula = "y[p, o] = Σ over t, c in o's group of x[p·s + t, c] · w[t, c, o]"
  let paper = "Xie et al., 2016, arXiv:1611.05431"
  let options: [any AnyKernelOption] = [groups, KernelOptions.window, KernelOptions.dilation]

  static let groups = KernelOption(
    "groups", .count, initial: 32,
    help: "the most groups; the largest number up to it that divides both numbers of channels is used")

  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try place.dilated(by: options[KernelOptions.dilation]).windowed(by: options)
      .with(groups: place.commonDivisor(atMost: options[Self.groups]))
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site)
  }
}
