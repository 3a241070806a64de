import Layers
import Tensors

/// The standard convolution, computed in the frequency domain.
struct FFT: Kernel {
  let name = "fft"
  let family = KernelFamily.grid
  let summary = "the standard convolution by fast Fourier transforms of tiles; stride subsamples"
  let formula = "y = F⁻¹(Σ over c of F(x[c]) · conj F(w[c, o])), tile by tile (overlap–save)"
  let paper = "Mathieu et al., 2013, arXiv:1312.5851"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]
  let algorithms = ["fft", "reference"]

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    if let reason = Fourier.unavailable { throw WorkbenchError(reason) }
    return try ConvolutionLayer(site, algorithms: .builtIn.only("fft", "reference"), countsFourier: true)
  }
}
