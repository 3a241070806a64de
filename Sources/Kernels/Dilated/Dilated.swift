import Layers
import Tensors

/// A convolution with spread taps: a larger receptive field at the same cost.
struct Dilated: Kernel {
  let name = "dilated"
  let family = KernelFamily.grid
  let summary = "k×k convolution with its taps `dilation` apart, padded to keep the size"
  let formula = "y[p, o] = Σ over t, c of x[p·s + d·t, c] · w[t, c, o]"
  let paper = "Yu and Koltun, 2015, arXiv:1511.07122"
  let options: [any AnyKernelOption] = [KernelOptions.window, dilation]

  private static let dilation = KernelOptions.dilation(initial: 2)

  /// The place's own grid with its taps, and its padding, `dilation` times as far apart.
  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try place.dilated(by: options[Self.dilation]).windowed(by: options)
  }

  /// The convolution reads the grid of its geometry.
  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site)
  }
}
