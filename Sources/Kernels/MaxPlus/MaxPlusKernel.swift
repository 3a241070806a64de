import Layers

/// The tropical convolution.
struct MaxPlusKernel: Kernel {
  let name = "max-plus"
  let family = KernelFamily.arithmetic
  let summary =
    "the largest sum of window and weights: sums replace products, and the maximum replaces the sum"
  let formula = "y[p, o] = max over t, c of x[p·s + t, c] + w[t, c, o]"
  let paper = "Zhang et al., 2019, arXiv:1903.08072"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]
  var algorithms: [String] { Algorithms.names(for: MaxPlus()) }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site, combination: MaxPlus())
  }
}
