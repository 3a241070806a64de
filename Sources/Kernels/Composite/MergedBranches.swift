import Layers
import Tensors

/// Convolutions side by side, each with a batch normalisation, summed: some with smaller windows about the same middle,
/// and, where it is asked for, the identity.
///
/// In inference they are one convolution: its weights are the branches', each times its normalisation's scale, added
/// where their taps lie. That is exact up to rounding.
final class MergedBranches: KernelLayer, Wrapper, TakesOperands {
  let geometry: ConvolutionGeometry
  let algorithm: String
  let printedName: String
  private let branches: Branches
  /// The branches' convolutions, none for the identity, and their normalisations.
  private let parts: [(convolution: ConvolutionLayer?, normalization: BatchNormalization)]
  private let merged: ConvolutionLayer
  private var mergedVersions: [Int] = []

  /// Why they take no bias, where there are any: a single pixel's window is a plain convolution.
  static func biasRefusal(at site: KernelSite, of kernel: String) -> String? {
    site.geometry.taps == 1 ? nil : "\(kernel) has normalisations instead of a bias; leave it out."
  }

  /// Branches in a site's place.
  ///
  /// - Parameters:
  ///   - site: its geometry, whose window must be odd, and have room for smaller windows; without a bias.
  ///   - kernel: what errors call it.
  ///   - printedName: what PyTorch calls this kind of block.
  ///   - windows: the branches and their windows, none of them larger than the site's.
  ///   - identity: whether the identity is a branch, where the shape stays.
  init(
    _ site: KernelSite, of kernel: String, printedName: String, windows: [(name: String, window: Pair)],
    identity: Bool = false
  ) throws {
    geometry = site.geometry
    algorithm = site.algorithm ?? "auto"
    self.printedName = printedName
    let g = geometry
    guard g.kernel.height % 2 == 1, g.kernel.width % 2 == 1 else {
      throw WorkbenchError("\(kernel) needs an odd window, not \(g.kernel).")
    }
    var parts: [(ConvolutionLayer?, BatchNormalization)] = []
    var children: [NamedLayer] = []
    for (name, window) in windows {
      let convolution = try ConvolutionLayer(
        KernelSite(
          geometry: g.concentric(window, of: kernel), algorithm: site.algorithm,
          random: site.random.split(name)))
      let normalization = BatchNormalization(channels: g.outputChannels)
      parts.append((convolution, normalization))
      children.append((name, Sequential([("conv", convolution), ("bn", normalization)])))
    }
    if identity, g.inputChannels == g.outputChannels, g.stride == Pair(1) {
      let normalization = BatchNormalization(channels: g.outputChannels)
      parts.append((nil, normalization))
      children.append(("identity", normalization))
    }
    self.parts = parts
    branches = Branches(children, join: .sum)
    merged = try ConvolutionLayer(KernelSite(geometry: g, bias: true, algorithm: site.algorithm))
  }

  var inner: any Layer { branches }

  func outputShape(for input: FeatureShape) throws -> FeatureShape { try branches.outputShape(for: input) }

  /// In inference: the one convolution's, and the parameters of all branches. In training there are several, and their
  /// normalisations.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    switch pass {
    case .inference:
      var cost = try merged.cost(for: input, pass: pass)
      cost.parameters = parameterCount
      return cost
    case .forward, .backward: return try branches.cost(for: input, pass: pass)
    }
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    context.training ? branches.forward(input, context) : infer(input, .none, context)
  }

  func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    merge()
    return merged.infer(input, epilogue, context)
  }

  /// Makes the one convolution's weights again if any branch's have changed.
  private func merge() {
    let versions = branches.state.map(\.parameter.version)
    guard versions != mergedVersions else { return }
    mergedVersions = versions
    let outputs = geometry.outputChannels
    var weight = Tensor(repeating: 0, geometry.weightShape), bias = Tensor(repeating: 0, [outputs])
    for (convolution, normalization) in parts {
      let (scale, shift) = normalization.affine
      let window = convolution?.geometry.kernel ?? Pair(1)
      let values = convolution?.weight.value ?? geometry.identityWeight
      add(values, window, scale, to: &weight)
      for output in 0..<outputs { bias[output] += shift[output] }
    }
    merged.weight.value = weight
    merged.bias?.value = bias
  }

  /// Adds a smaller window's weights in the middle.
  private func add(_ values: Tensor, _ window: Pair, _ scale: [Float], to weight: inout Tensor) {
    let extent = geometry.kernel, outputs = geometry.outputChannels
    let size = geometry.channelsPerGroup * outputs
    let top = (extent.height - window.height) / 2, left = (extent.width - window.width) / 2
    for index in 0..<values.count {
      let (tap, place) = index.quotientAndRemainder(dividingBy: size)
      let target = (tap / window.width + top) * extent.width + tap % window.width + left
      weight[target * size + place] += values[index] * scale[place % outputs]
    }
  }
}

extension MergedBranches: MergesBranches {
  package func forms(for input: FeatureShape) throws -> LayerSummary.Forms? {
    .init(
      branches: try branches.cost(for: input, pass: .forward),
      merged: try merged.cost(for: input, pass: .inference))
  }

  /// How many parameters the one convolution has.
  fileprivate var mergedCount: Int { merged.parameterCount }
}

extension ComposedLayer: MergesBranches {
  /// Those of the whole, where layers inside merge branches.
  package func forms(for input: FeatureShape) throws -> LayerSummary.Forms? {
    let inside = tree.compactMap { $0 as? MergedBranches }
    if inside.isEmpty { return nil }
    var merged = try cost(for: input, pass: .inference)
    for layer in inside { merged.parameters += layer.mergedCount - layer.parameterCount }
    return .init(branches: try cost(for: input, pass: .forward), merged: merged)
  }
}

extension MergedBranches: HasWindows {
  /// Those of the one convolution.
  package func taps(for input: FeatureShape) throws -> LayerSummary.Taps? { try merged.taps(for: input) }
}

extension ConvolutionGeometry {
  /// A smaller odd window about the middle of this one's.
  fileprivate func concentric(_ window: Pair, of kernel: String) throws -> ConvolutionGeometry {
    let cut = Pair(
      (self.kernel.height - window.height) / 2 * dilation.height,
      (self.kernel.width - window.width) / 2 * dilation.width)
    guard min(padding.top, padding.bottom) >= cut.height, min(padding.left, padding.right) >= cut.width else {
      throw WorkbenchError(
        "\(kernel) needs padding of at least \(cut), so that its smaller windows lie in the middle.")
    }
    return try with(
      kernel: window,
      padding: Padding(
        top: padding.top - cut.height, left: padding.left - cut.width, bottom: padding.bottom - cut.height,
        right: padding.right - cut.width))
  }

  /// The 1×1 weights that leave channels as they are.
  fileprivate var identityWeight: Tensor {
    var weight = Tensor(repeating: 0, [1, 1, channelsPerGroup, outputChannels])
    for output in 0..<outputChannels { weight[output % channelsPerGroup * outputChannels + output] = 1 }
    return weight
  }
}
