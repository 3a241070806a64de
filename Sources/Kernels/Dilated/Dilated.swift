import Layers

/// A convolution whose taps lie apart: a larger view at the same cost.
struct Dilated: Kernel {
  let name = "dilated"
  let family = KernelFamily.grid
  let summary = "k×k convolution with its taps `dilation` apart, padded so that the size stays"
  let formula = "y[p, o] = Σ over t, c of x[p·s + d·t, c] · w[t, c, o]"
  let paper = "Yu and Koltun, 2015, arXiv:1511.07122"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation(initial: 2)]

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site)
  }
}
