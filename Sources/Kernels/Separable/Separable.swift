import Layers
import Tensors

/// A depthwise and a pointwise convolution, one after the other.
struct Separable: ComposedKernel {
  let name = "depthwise-separable"
  let family = KernelFamily.stages
  let summary = "a k×k convolution of each channel separately, then 1×1 over the channels"
  let formula = "y[p, o] = Σ over c of act(Σ over t of x[p·s + t, c] · v[t, c]) · w[c, o]"
  let paper = "Howard et al., 2017, arXiv:1704.04861; Chollet, 2016, arXiv:1610.02357"
  let options: [any AnyKernelOption] = [order, activation, KernelOptions.dilation]

  private enum Order: String, CaseIterable { case depthwise, pointwise }
  private enum Activation: String, CaseIterable { case none, relu }

  private static let order = KernelOption(
    "order", .word, initial: Order.depthwise,
    help: "which convolution comes first; pointwise: Inception's order")
  private static let activation = KernelOption(
    "activation", .word, initial: Activation.none,
    help: "the activation between them; Xception found none to be best")

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, isFirst = site.options[Self.order] == .depthwise
    let inner = isFirst ? whole.inputChannels : whole.outputChannels
    let depthwise = (
      name: "depthwise", geometry: try whole.with(inputChannels: inner, outputChannels: inner, groups: inner)
    )
    let pointwise = (name: "pointwise", geometry: try whole.pointwise())
    return ComposedLayer(
      site,
      try site.stages(
        isFirst ? [depthwise, pointwise] : [pointwise, depthwise],
        rectified: site.options[Self.activation] == .relu))
  }
}
