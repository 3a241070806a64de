import Layers

/// The k×k convolution that all others are compared with.
struct Standard: Kernel {
  let name = "standard"
  let family = KernelFamily.grid
  let summary = "k×k convolution; any stride, padding, dilation, groups and window"
  let formula = "y[p, o] = Σ over t, c of x[p·s + t, c] · w[t, c, o]"
  let paper = "LeCun et al., 1989, Neural Computation 1(4)"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site)
  }
}
