import Kernels
import Layers

/// A cross-shaped window: k×1 and 1×k convolutions side by side, summed.
struct Cross: ComposedKernel {
  let name = "cross"
  let summary = "k×1 and 1×k convolutions side by side, summed"
  let formula = "y[p, o] = Σ over t, c of x[p·s + (t, 0), c] · v[t, c, o] + x[p·s + (0, t), c] · h[t, c, o]"
  let paper = "an example"

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, padding = whole.padding
    let column = try whole.with(
      kernel: Pair(whole.kernel.height, 1),
      padding: Padding(top: padding.top, left: 0, bottom: padding.bottom, right: 0))
    let row = try whole.with(
      kernel: Pair(1, whole.kernel.width),
      padding: Padding(top: 0, left: padding.left, bottom: 0, right: padding.right))
    return ComposedLayer(
      site,
      Branches(
        [try site.convolution("vertical", column, bias: site.bias), try site.convolution("horizontal", row)],
        join: .sum))
  }
}
