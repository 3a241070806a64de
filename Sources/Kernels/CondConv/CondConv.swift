import Layers
import Tensors

/// Conditionally parameterised convolution: each image has its own filter, a sum of several with weights computed
/// from the image.
struct CondConv: ComposedKernel {
  let name = "condconv"
  let family = KernelFamily.imageWeights
  let summary =
    "k×k convolution with a filter for each image, mixed from several by sigmoids of the image's means"
  let formula = "y = (Σ over k of a[k] · w[k]) ∗ x, a = σ(v · mean(x) + b)"
  let paper = "Yang et al., 2019, arXiv:1904.04971"
  let options: [any AnyKernelOption] = [filters, KernelOptions.dilation]

  private static let filters = KernelOptions.filters(initial: 8)

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let count = site.options[Self.filters]
    let routing = try site.convolution("fc", site.geometry.pointwise(to: count), bias: true)
    let shares = Sequential([("mean", AdaptiveAveragePooling()), routing, ("sigmoid", Sigmoid())])
    return try MixedFilters(site, filters: count, shares: shares, printedName: "CondConv2d")
  }
}

extension KernelOptions {
  /// How many filters are mixed.
  static func filters(initial: Int) -> KernelOption<Int> {
    KernelOption("filters", .count, initial: initial, help: "the number of filters that are mixed")
  }
}
