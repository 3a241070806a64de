import Layers
import Tensors

/// Omni-dimensional dynamic convolution: each image has its own filter, mixed from several, with a factor for each
/// tap and channel.
struct ODConv: ComposedKernel {
  let name = "odconv"
  let family = KernelFamily.imageWeights
  let summary =
    "k×k convolution with a mixed filter for each image, scaled by factors for its taps, inputs and outputs"
  let formula =
    "y = (Σ over k of a[k] · s[t] · c[i] · f[o] · w[k, t, i, o]) ∗ x, a softmax, s, c, f sigmoids of v · relu(u · mean(x)) + b"
  let paper = "Li et al., 2022, arXiv:2209.07947"
  let options: [any AnyKernelOption] = [filters, reduction, KernelOptions.dilation]

  private static let filters = KernelOptions.filters(initial: 4)
  private static let reduction = KernelOption(
    "reduction", .count, initial: 16,
    help:
      "how many times fewer channels the bottleneck layer has; it has at least 16, as in the authors' code"
  )

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let place = site.geometry, count = site.options[Self.filters]
    let narrow = max(16, place.inputChannels / site.options[Self.reduction])
    func head(_ name: String, _ outputs: Int, _ activation: NamedLayer = ("sigmoid", Sigmoid())) throws
      -> NamedLayer
    {
      let line = try place.pointwise(from: narrow, to: outputs)
      return ("", Sequential([try site.convolution(name, line, bias: true), activation]))
    }
    let filters = count == 1 ? [] : [try head("filters", count, ("softmax", ChannelSoftmax()))]
    let heads = try [
      head("taps", place.taps), head("inputs", place.inputChannels), head("outputs", place.outputChannels),
    ]
    let shares = Sequential([
      ("mean", AdaptiveAveragePooling()), try site.convolution("fc", place.pointwise(to: narrow)),
      ("relu", ReLU()), ("", Branches(filters + heads, join: .concatenation)),
    ])
    return try MixedFilters(
      site, filters: count, shares: shares, factors: FilterFactors(geometry: place), printedName: "ODConv2d")
  }
}
