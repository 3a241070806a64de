import Layers
import Tensors

/// Convolutional block attention: a factor for each channel, then one for each pixel.
struct CBAM: WrappingKernel {
  let name = "cbam"
  let summary = "another kernel, then each channel and each pixel times a factor made of means and maxima"
  let formula =
    "v = u · σ(f(mean(u)) + f(max(u))), y = v · σ(w ∗ [mean over c of v, max over c of v]), f two layers, w 7×7"
  let paper = "Woo et al., 2018, arXiv:1807.06521"
  let options: [any AnyKernelOption] = [Attention.reduction, window, KernelOptions.around]

  private static let window = KernelOption(
    "window", .odd(1...255), initial: 7, help: "the extent of the window over pixels")

  var inner = KernelChoice.standard

  func attention(_ site: KernelSite) throws -> [NamedLayer] {
    try Attention.cbam(
      site, reduction: site.options[Attention.reduction], window: site.options[Self.window])
  }
}
