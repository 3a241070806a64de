import Layers
import Tensors

/// Dynamic convolution: each image has its own filter, a mean of several weighted by the image's content.
struct DynamicConvolution: ComposedKernel {
  let name = "dynamic"
  let family = KernelFamily.imageWeights
  let summary = "k×k convolution with a filter for each image, mixed from several by a softmax over them"
  let formula = "y = (Σ over k of a[k] · w[k]) ∗ x, a = softmax((v₂ · relu(v₁ · mean(x)) + b) / T)"
  let paper = "Chen et al., 2019, arXiv:1912.03458"
  let options: [any AnyKernelOption] = [filters, temperature, reduction, KernelOptions.dilation]

  private static let filters = KernelOptions.filters(initial: 4)
  private static let temperature = KernelOption(
    "temperature", .number(0.1...1000), initial: 30,
    help:
      "T, which makes the shares more equal; constant here, while the paper lowers it to 1 in the first epochs"
  )
  private static let reduction = KernelOption(
    "reduction", .count, initial: 4, help: "how many times fewer channels the bottleneck layer has")

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let inputs = site.geometry.inputChannels, count = site.options[Self.filters]
    let narrow = max(1, inputs / site.options[Self.reduction])
    let shares = Sequential([
      ("mean", AdaptiveAveragePooling()),
      try site.convolution("fc1", site.geometry.pointwise(to: narrow)), ("relu", ReLU()),
      try site.convolution("fc2", site.geometry.pointwise(from: narrow, to: count), bias: true),
      ("softmax", ChannelSoftmax(temperature: site.options[Self.temperature])),
    ])
    return try MixedFilters(site, filters: count, shares: shares, printedName: "DynamicConv2d")
  }
}
