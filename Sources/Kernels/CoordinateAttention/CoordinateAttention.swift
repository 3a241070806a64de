import Layers
import Tensors

/// Coordinate attention: each channel is multiplied by a factor for the pixel's row and one for its column.
struct CoordinateAttention: WrappingKernel {
  let name = "coordinate-attention"
  let summary = "another kernel, then each channel is multiplied by a factor for each row and each column"
  let formula =
    "y = u · a · b, a = σ(v · f), b = σ(w · g), [f, g] = h(bn(r · [means of u's rows, means of u's columns])), h hard swish"
  let paper = "Hou et al., 2021, arXiv:2103.02907"
  let options: [any AnyKernelOption] = [reduction, KernelOptions.around]

  private static let reduction = KernelOption(
    "reduction", .count, initial: 32,
    help: "how many times fewer channels the bottleneck layer has; it has at least 8, as in the authors' code"
  )

  var inner = KernelChoice.standard

  func attention(_ site: KernelSite) throws -> [NamedLayer] {
    let channels = site.geometry.outputChannels, narrow = max(8, channels / site.options[Self.reduction])
    let reduce = try site.geometry.pointwise(from: channels, to: narrow)
    let expand = try site.geometry.pointwise(from: narrow, to: channels)
    func factors(_ name: String) throws -> any Layer {
      Sequential([try site.convolution(name, expand, bias: true), ("sigmoid", Sigmoid())])
    }
    let shared = Sequential([
      try site.convolution("reduce", reduce), ("bn", BatchNormalization(channels: narrow)),
      ("act", HardSwish()),
    ])
    return [
      (
        "attention",
        CoordinateGate(shared: shared, rows: try factors("rows"), columns: try factors("columns"))
      )
    ]
  }
}
