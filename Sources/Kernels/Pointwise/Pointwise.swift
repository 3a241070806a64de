import Layers
import Tensors

/// The 1×1 convolution: channels mix, pixels do not.
struct Pointwise: Kernel {
  let name = "1x1"
  let family = KernelFamily.grid
  let summary = "pointwise convolution: each pixel separately"
  let formula = "y[p, o] = Σ over c of x[p·s, c] · w[c, o]"
  let paper = "Lin et al., 2013, arXiv:1312.4400"
  var algorithms: [String] { Algorithms.names(window: 1) }

  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try place.with(kernel: Pair(1), padding: Padding(Pair(0)), dilation: Pair(1))
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    guard site.geometry.kernel == Pair(1) else {
      throw WorkbenchError(
        "1x1 needs a weight with a 1×1 window, not \(site.geometry.kernel); use standard for that.")
    }
    return try ConvolutionLayer(site)
  }
}
