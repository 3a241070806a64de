import Layers
import Tensors

/// Kolmogorov–Arnold convolution: each weight of a window is replaced by a learned function of the input.
struct KAN: ComposedKernel {
  let name = "kan"
  let family = KernelFamily.arithmetic
  let summary = "a window of learned functions, each a sum of cubic splines and a swish, in place of weights"
  let formula =
    "y[p, o] = Σ over t, c of φ[t, c, o](x[p·s + t, c]), φ(x) = w₀ · x · σ(x) + Σ over k of wₖ · Bₖ(x)"
  let paper = "Liu et al., 2024, arXiv:2404.19756; Bodner et al., 2024, arXiv:2406.13155"
  let options: [any AnyKernelOption] = [grid, range, KernelOptions.window, KernelOptions.dilation]

  private static let grid = KernelOption(
    "grid", .whole(1...64), initial: 5,
    help: "the number of intervals of the grid; there are three more splines")
  private static let range = KernelOption(
    "range", .number(0.001...1000), initial: 2,
    help: "the grid goes from -range to range; it is fixed, while the paper adapts it to the values")

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry
    let functions = KANFunctions(grid: site.options[Self.grid], range: site.options[Self.range])
    let window = try whole.with(inputChannels: whole.inputChannels * functions.count)
    return ComposedLayer(
      site, [("functions", functions), ("", try site.convolution("", window, bias: site.bias).layer)])
  }
}
