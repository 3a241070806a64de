import Layers

/// The adder with squared distances.
struct AdderL2: Kernel {
  let name = "adder-l2"
  let family = KernelFamily.arithmetic
  let summary = "negative squared L2 distance of window and weights; needs batch normalisation after it"
  let formula = "y[p, o] = −Σ over t, c of (x[p·s + t, c] − w[t, c, o])²"
  let paper = "Chen et al., 2021, arXiv:2105.14202"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]
  var algorithms: [String] { Algorithms.names(for: SquaredDifference()) }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site, combination: SquaredDifference())
  }
}
