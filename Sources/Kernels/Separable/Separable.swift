import Layers
import Tensors

/// A depthwise and a pointwise convolution, one behind the other.
struct Separable: ComposedKernel {
  let name = "depthwise-separable"
  let summary = "a k×k convolution of each channel by itself, then 1×1 over the channels"
  let formula = "y[p, o] = Σ over c of act(Σ over t of x[p·s + t, c] · v[t, c]) · w[c, o]"
  let paper = "Howard et al., 2017, arXiv:1704.04861; Chollet, 2016, arXiv:1610.02357"
  let options = [
    KernelOption(
      "order", .choice(["depthwise", "pointwise"]), initial: "depthwise",
      help: "which comes first; pointwise: Inception's order, as Xception discusses it"),
    KernelOption(
      "activation", .choice(["none", "relu"]), initial: "none",
      help: "what stands between them; Xception found none to be best"),
    KernelOption.dilation(),
  ]
  let algorithms = StagesLayer.algorithms

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, isFirst = site.options.value("order") != "pointwise"
    let inner = isFirst ? whole.inputChannels : whole.outputChannels
    let depthwise = StagesLayer.Stage(
      "depthwise", try whole.with(inputChannels: inner, outputChannels: inner, groups: inner))
    let pointwise = StagesLayer.Stage("pointwise", try whole.pointwise())
    return try StagesLayer(
      site, isFirst ? [depthwise, pointwise] : [pointwise, depthwise],
      rectifies: site.options.value("activation") == "relu")
  }
}

extension ConvolutionGeometry {
  /// A 1×1 convolution between some channels; by default this one's.
  func pointwise(from inputs: Int? = nil, to outputs: Int? = nil) throws -> ConvolutionGeometry {
    try ConvolutionGeometry(
      inputChannels: inputs ?? inputChannels, outputChannels: outputs ?? outputChannels, kernel: Pair(1))
  }
}
