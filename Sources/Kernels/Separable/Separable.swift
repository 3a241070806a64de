import Layers
import Tensors

/// A depthwise and a pointwise convolution, one after the other.
struct Separable: ComposedKernel {
  let name = "depthwise-separable"
  let family = KernelFamily.stages
  let summary = "a k×k convolution of each channel by itself, then 1×1 over the channels"
  let formula = "y[p, o] = Σ over c of act(Σ over t of x[p·s + t, c] · v[t, c]) · w[c, o]"
  let paper = "Howard et al., 2017, arXiv:1704.04861; Chollet, 2016, arXiv:1610.02357"
  let options = [
    KernelOption(
      "order", .choice(["depthwise", "pointwise"]), initial: "depthwise",
      help: "which comes first; pointwise: Inception's order, as Xception discusses it"),
    KernelOption(
      "activation", .choice(["none", "relu"]), initial: "none",
      help: "the layers between them; Xception found none to be best"),
    KernelOption.dilation(),
  ]

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, isFirst = site.options.value("order") != "pointwise"
    let inner = isFirst ? whole.inputChannels : whole.outputChannels
    let depthwise = (
      name: "depthwise", geometry: try whole.with(inputChannels: inner, outputChannels: inner, groups: inner)
    )
    let pointwise = (name: "pointwise", geometry: try whole.pointwise())
    return ComposedLayer(
      site,
      try site.stages(
        isFirst ? [depthwise, pointwise] : [pointwise, depthwise],
        rectified: site.options.value("activation") == "relu"))
  }
}
