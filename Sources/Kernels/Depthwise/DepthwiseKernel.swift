import Layers
import Tensors

/// A convolution of each channel separately.
struct DepthwiseKernel: GroupedKernel {
  let name = "depthwise"
  let family = KernelFamily.grid
  let summary =
    "k×k convolution of each channel separately; if channels change, with as many groups as divide both numbers"
  let formula = "y[p, c] = Σ over t of x[p·s + t, c] · w[t, c]"
  let paper =
    "Sifre, 2014; Chollet, 2016, arXiv:1610.02357; large windows: Ding et al., 2022, arXiv:2203.06717"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]

  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try place.dilated(by: options[KernelOptions.dilation]).windowed(by: options)
      .with(groups: place.commonDivisor(atMost: .max))
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site)
  }

  func site(for request: OperatorRequest) throws -> KernelSite {
    guard request.operands.weight.map({ $0.shape[2] == 1 }) ?? true else {
      throw WorkbenchError(
        "A weight of depthwise has one input channel for each output, [C, 1, kh, kw]; use grouped for others."
      )
    }
    return try groupedSite(for: request)
  }
}
