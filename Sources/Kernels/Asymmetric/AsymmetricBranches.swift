import Layers
import Tensors

/// ACNet's block (Ding et al., 2019, arXiv:1908.03930): a k×k, a k×1 and a 1×k convolution side by side, each with a
/// batch normalisation, summed.
///
/// In inference they are one k×k convolution: its weights are the three, each times its normalisation's scale, added
/// where their taps lie. That is exact up to rounding.
final class AsymmetricBranches: KernelLayer, Wrapper, TakesOperands {
  let geometry: ConvolutionGeometry
  let algorithm: String
  private let branches: Branches
  private let convolutions: [(convolution: ConvolutionLayer, normalization: BatchNormalization)]
  private let fused: ConvolutionLayer
  private var fusedVersions: [Int] = []

  init(_ site: KernelSite) throws {
    geometry = site.geometry
    algorithm = site.algorithm ?? "auto"
    guard geometry.kernel.height % 2 == 1, geometry.kernel.width % 2 == 1 else {
      throw WorkbenchError("asymmetric:form=acnet needs an odd window, not \(geometry.kernel).")
    }
    guard !site.bias else {
      throw WorkbenchError("asymmetric:form=acnet has normalisations instead of a bias; leave it out.")
    }
    let g = geometry,
      middle = Pair(g.kernel.height / 2 * g.dilation.height, g.kernel.width / 2 * g.dilation.width)
    guard g.padding.top >= middle.height, g.padding.left >= middle.width, g.padding.bottom >= middle.height,
      g.padding.right >= middle.width
    else {
      throw WorkbenchError(
        "asymmetric:form=acnet needs padding of at least \(middle), so that a column and a row are centred in the window."
      )
    }
    let column = try g.with(
      kernel: Pair(g.kernel.height, 1),
      padding: Padding(
        top: g.padding.top, left: g.padding.left - middle.width, bottom: g.padding.bottom,
        right: g.padding.right - middle.width))
    let row = try g.with(
      kernel: Pair(1, g.kernel.width),
      padding: Padding(
        top: g.padding.top - middle.height, left: g.padding.left, bottom: g.padding.bottom - middle.height,
        right: g.padding.right))
    var parts: [(ConvolutionLayer, BatchNormalization)] = []
    var children: [NamedLayer] = []
    for (name, geometry) in [("square", g), ("column", column), ("row", row)] {
      let convolution = try ConvolutionLayer(
        KernelSite(geometry: geometry, algorithm: site.algorithm, random: site.random.split(name)))
      let normalization = BatchNormalization(channels: g.outputChannels)
      parts.append((convolution, normalization))
      children.append((name, Sequential([("conv", convolution), ("bn", normalization)])))
    }
    convolutions = parts
    branches = Branches(children, join: .sum)
    fused = try ConvolutionLayer(KernelSite(geometry: g, bias: true, algorithm: site.algorithm))
  }

  var inner: any Layer { branches }

  var printedName: String { "ACBlock" }

  func outputShape(for input: FeatureShape) throws -> FeatureShape { try branches.outputShape(for: input) }

  /// In inference: the one convolution's, and the parameters of the three. In training there are three, and their
  /// normalisations.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    switch pass {
    case .inference:
      var cost = try fused.cost(for: input, pass: pass)
      cost.parameters = parameterCount
      return cost
    case .forward, .backward: return try branches.cost(for: input, pass: pass)
    }
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    context.training ? branches.forward(input, context) : infer(input, .none, context)
  }

  func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    fuse()
    return fused.infer(input, epilogue, context)
  }

  /// Makes the one convolution's weights again if any of the three have changed.
  private func fuse() {
    let versions = branches.state.map(\.parameter.version)
    guard versions != fusedVersions else { return }
    fusedVersions = versions
    let extent = geometry.kernel, outputs = geometry.outputChannels
    let size = geometry.channelsPerGroup * outputs
    var weight = Tensor(repeating: 0, geometry.weightShape), bias = Tensor(repeating: 0, [outputs])
    for (convolution, normalization) in convolutions {
      let own = convolution.geometry.kernel, values = convolution.weight.value.values
      let top = (extent.height - own.height) / 2, left = (extent.width - own.width) / 2
      let (scale, shift) = normalization.affine
      for index in values.indices {
        let (tap, place) = index.quotientAndRemainder(dividingBy: size)
        let target = (tap / own.width + top) * extent.width + tap % own.width + left
        weight[target * size + place] += values[index] * scale[place % outputs]
      }
      for output in 0..<outputs { bias[output] += shift[output] }
    }
    fused.weight.value = weight
    fused.bias?.value = bias
  }
}
