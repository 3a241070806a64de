import Layers
import Tensors

/// A column and a row instead of a square window, or in parallel with it.
struct Asymmetric: ComposedKernel {
  let name = "asymmetric"
  let family = KernelFamily.stages
  let summary = "k×1, ReLU, 1×k; between a 1×1 to a quarter of the channels and one back; or beside a k×k"
  let formula =
    "y[p, o] = Σ over t, m of relu(Σ over u, c of x[p·s + (u, t), c] · v[u, c, m]) · w[t, m, o]"
  let paper = "Szegedy et al., 2015, arXiv:1512.00567; acnet: Ding et al., 2019, arXiv:1908.03930"
  let options: [any AnyKernelOption] = [form, bias, KernelOptions.dilation]

  private enum Form: String, CaseIterable { case pair, block, acnet }

  private static let form = KernelOption(
    "form", .word, initial: Form.pair,
    help:
      "block: 1×1 to a quarter, k×1, 1×k, 1×1 back, a ReLU between all; acnet: k×k + k×1 + 1×k, each normalised, one convolution in inference"
  )
  private static let bias = KernelOption(
    "bias", .either(on: "yes", off: "no"), initial: false,
    help: "yes: each convolution of pair or block has one, as in networks without normalisation")

  /// The block mixes all channels, whatever the place's groups.
  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    let own = try place.dilated(by: options[KernelOptions.dilation])
    return options[Self.form] == .block ? try own.with(groups: 1) : own
  }

  func biasRefusal(at site: KernelSite) -> String? {
    site.options[Self.form] == .acnet
      ? MergedBranches.biasRefusal(at: site, of: "asymmetric:form=acnet") : nil
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, padding = whole.padding, form = site.options[Self.form]
    if whole.taps == 1 { return try site.pointwise() }
    let hasBiases = site.options[Self.bias]
    if form == .acnet {
      guard !hasBiases else {
        throw WorkbenchError(
          "asymmetric:form=acnet has normalisations instead of biases; leave out bias=yes.")
      }
      let window = whole.kernel
      return try MergedBranches(
        site, of: "asymmetric:form=acnet", printedName: "ACBlock",
        windows: [
          ("square", window), ("column", Pair(window.height, 1)), ("row", Pair(1, window.width)),
        ])
    }
    let isBlock = form == .block
    let inner = isBlock ? max(1, whole.outputChannels / 4) : whole.outputChannels
    let column = try whole.with(
      inputChannels: isBlock ? inner : nil, outputChannels: inner, kernel: Pair(whole.kernel.height, 1),
      stride: Pair(whole.stride.height, 1),
      padding: Padding(top: padding.top, left: 0, bottom: padding.bottom, right: 0),
      dilation: Pair(whole.dilation.height, 1))
    let row = try whole.with(
      inputChannels: inner, outputChannels: inner, kernel: Pair(1, whole.kernel.width),
      stride: Pair(1, whole.stride.width),
      padding: Padding(top: 0, left: padding.left, bottom: 0, right: padding.right),
      dilation: Pair(1, whole.dilation.width))
    var stages = [(name: "column", geometry: column), (name: "row", geometry: row)]
    if isBlock {
      stages.insert(("reduce", try whole.pointwise(to: inner)), at: 0)
      stages.append(("expand", try whole.pointwise(from: inner)))
    }
    return ComposedLayer(site, try site.stages(stages, rectified: true, allBiased: hasBiases))
  }
}
