import Layers
import Tensors

/// Active convolution: a window whose shape is learned, the same at every position.
struct Active: Kernel {
  let name = "active"
  let family = KernelFamily.positions
  let summary = "k×k convolution with taps at learned positions, the same for all pixels"
  let formula = "y[p, o] = Σ over t, c of x(p·s + t + Δ[t], c) · w[t, c, o]"
  let paper = "Jeon and Kim, 2017, arXiv:1703.09076"
  let options: [any AnyKernelOption] = [KernelOptions.dilation, KernelOptions.combine]
  var algorithms: [String] { Algorithms.names(readsRegularGrid: false) }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(
      site, sampling: LearnedOffsets(site.geometry), combination: site.options[KernelOptions.combine])
  }
}
