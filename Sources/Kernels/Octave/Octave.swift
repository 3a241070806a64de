import Layers
import Tensors

/// Octave convolution: a share of the channels, with low frequencies, is computed at half the height and width.
struct Octave: ComposedKernel {
  let name = "octave"
  let family = KernelFamily.branches
  let summary =
    "k×k convolution with a share of its channels at half the resolution; both kinds of channels read both"
  let formula =
    "y = [w₁ ∗ h + up(w₂ ∗ mean(l)), up(w₃ ∗ mean(x))], x = [h, l], mean over 2×2 pixels, up doubles pixels"
  let paper = "Chen et al., 2019, arXiv:1904.05049"
  let options: [any AnyKernelOption] = [alpha, KernelOptions.dilation]

  private static let alpha = KernelOption(
    "alpha", .number(0...1), initial: 0.5,
    help: "the share of input and output channels at half the resolution")

  /// It mixes all channels, whatever the place's groups.
  var ignoresGroups: Bool { true }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, alpha = site.options[Self.alpha], stride = whole.stride
    try whole.checkKeepsSize()
    let block = try PoolingWindow(size: 2, stride: 2)
    func small(_ name: String, _ convolution: NamedLayer) -> NamedLayer {
      let stages: [NamedLayer] = [
        ("mean", AveragePooling(block, roundsUp: true)), ("", convolution.layer),
      ]
      return (name, Resized(Sequential(stages), every: (stride.height, stride.width), mode: .nearest))
    }
    func split(_ channels: Int) -> (high: Int, low: Int) {
      let low = Int(alpha * Double(channels))
      return (channels - low, low)
    }
    let inputs = split(whole.inputChannels), outputs = split(whole.outputChannels)
    var parts: [NamedLayer] = []
    if outputs.high > 0 {
      var terms: [NamedLayer] = []
      if inputs.high > 0 {
        let high = try whole.with(inputChannels: inputs.high, outputChannels: outputs.high)
        terms.append(try site.convolution("high", high, bias: site.bias))
      }
      if inputs.low > 0 {
        let low = try whole.with(inputChannels: inputs.low, outputChannels: outputs.high)
        let bias = site.bias && terms.isEmpty
        terms.append(small("low", try site.convolution("low", low, bias: bias)))
      }
      let read = [inputs.high, inputs.low].filter { $0 > 0 }
      parts.append(("high", Branches(terms, join: .sum, inputs: read.count > 1 ? read : nil)))
    }
    if outputs.low > 0 {
      let all = try whole.with(outputChannels: outputs.low)
      parts.append(small("low", try site.convolution("all", all, bias: site.bias)))
    }
    return ComposedLayer(site, Branches(parts, join: .concatenation))
  }
}
