import Layers
import Tensors

/// Squeeze-and-excitation: each channel is multiplied by a factor computed from the means of all.
struct SqueezeExcite: WrappingKernel {
  let name = "squeeze-excite"
  let summary =
    "another kernel, then each channel is multiplied by a factor computed from the means of all channels"
  let formula = "y = u · σ(w₂ · relu(w₁ · mean(u) + b₁) + b₂), u the inner kernel's output"
  let paper = "Hu et al., 2017, arXiv:1709.01507"
  let options: [any AnyKernelOption] = [Attention.reduction, KernelOptions.around]
  var inner = KernelChoice.standard

  func attention(_ site: KernelSite) throws -> [NamedLayer] {
    let channels = site.geometry.outputChannels, narrow = max(1, channels / site.options[Attention.reduction])
    let squeeze = try site.convolution("fc1", site.geometry.pointwise(from: channels, to: narrow), bias: true)
    let excite = try site.convolution("fc2", site.geometry.pointwise(from: narrow, to: channels), bias: true)
    return [
      (
        "attention",
        Gate(
          Sequential([
            ("mean", AdaptiveAveragePooling()), squeeze, ("relu", ReLU()), excite, ("sigmoid", Sigmoid()),
          ]))
      )
    ]
  }
}
