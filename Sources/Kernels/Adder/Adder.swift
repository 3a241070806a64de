import Layers

/// AdderNet's operator: distances instead of products.
struct Adder: Kernel {
  let name = "adder"
  let family = KernelFamily.arithmetic
  let summary = "negative L1 distance of window and weights; needs batch normalisation after it"
  let formula = "y[p, o] = −Σ over t, c of |x[p·s + t, c] − w[t, c, o]|"
  let paper = "Chen et al., 2020, arXiv:1912.13200"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]
  var algorithms: [String] { Algorithms.names(for: AbsoluteDifference()) }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site, combination: AbsoluteDifference())
  }
}
