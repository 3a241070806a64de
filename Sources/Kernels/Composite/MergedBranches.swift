import Layers
import Tensors

/// Convolutions in parallel, each with a batch normalisation, summed: some with smaller windows about the same
/// centre, and optionally the identity.
///
/// In inference they are one convolution. Its weights are the sum of the branches' weights, each times its
/// normalisation's scale, at their taps' positions. The result is the same up to rounding.
package final class MergedBranches: KernelLayer, Wrapper, TakesOperands {
  package let geometry: ConvolutionGeometry
  package let algorithm: String
  package let printedName: String
  private let branches: Branches
  /// The branches' convolutions, none for the identity, and their normalisations.
  private let parts: [(convolution: ConvolutionLayer?, normalization: BatchNormalization)]
  private let merged: ConvolutionLayer
  private var mergedVersions: [Int] = []

  /// Why the branches take no bias; nil if there are none, because a 1×1 window is a plain convolution.
  static func biasRefusal(at site: KernelSite, of kernel: String) -> String? {
    site.geometry.taps == 1 ? nil : "\(kernel) has normalisations instead of a bias; leave the bias out."
  }

  /// Branches in a site's place.
  ///
  /// - Parameters:
  ///   - site: its geometry, whose window must be odd and whose padding must leave room for smaller windows; without
  ///     a bias.
  ///   - kernel: what errors call it.
  ///   - printedName: what PyTorch calls this kind of block.
  ///   - windows: the branches and their windows, none of them larger than the site's.
  ///   - identity: whether the identity is a branch, if the shape stays.
  convenience init(
    _ site: KernelSite, of kernel: String, printedName: String, windows: [(name: String, window: Pair)],
    identity: Bool = false
  ) throws {
    let g = site.geometry
    guard g.kernel.height % 2 == 1, g.kernel.width % 2 == 1 else {
      throw WorkbenchError("\(kernel) needs an odd window, not \(g.kernel).")
    }
    let convolutions = try windows.map { name, window in
      let site = KernelSite(
        geometry: try g.concentric(window, of: kernel), algorithm: site.algorithm,
        random: site.random.split(name))
      return (name, try ConvolutionLayer(site))
    }
    try self.init(
      g, convolutions, identity: identity && g.inputChannels == g.outputChannels && g.stride == Pair(1),
      printedName: printedName, algorithm: site.algorithm)
  }

  /// A block's k×k convolution and a 1×1 beside it; nil where these are not two plain convolutions about the
  /// same middle.
  package convenience init?(_ dense: any Layer, _ point: any Layer, identity: Bool, printedName: String) {
    guard let dense = (dense as? any MayBePlain)?.plain, let point = (point as? any MayBePlain)?.plain,
      (try? dense.geometry.concentric(Pair(1), of: "").with(dilation: Pair(1))) == point.geometry
    else { return nil }
    try? self.init(
      dense.geometry, [("dense", dense), ("point", point)], identity: identity, printedName: printedName,
      algorithm: dense.algorithm)
  }

  private init(
    _ geometry: ConvolutionGeometry, _ convolutions: [(name: String, layer: ConvolutionLayer)],
    identity: Bool, printedName: String, algorithm: String?
  ) throws {
    self.geometry = geometry
    self.algorithm = algorithm ?? "auto"
    self.printedName = printedName
    func normalization() -> BatchNormalization { BatchNormalization(channels: geometry.outputChannels) }
    parts =
      convolutions.map { ($0.layer, normalization()) } + (identity ? [(nil, normalization())] : [])
    let names = convolutions.map(\.name) + ["identity"]
    branches = Branches(
      zip(names, parts).map { name, part in
        guard let convolution = part.convolution else { return (name, part.normalization) }
        return (name, Sequential([("conv", convolution), ("bn", part.normalization)]))
      }, join: .sum)
    merged = try ConvolutionLayer(KernelSite(geometry: geometry, bias: true, algorithm: algorithm))
  }

  package var inner: any Layer { branches }

  package func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try branches.outputShape(for: input)
  }

  /// In inference, the single convolution with the parameters of all branches. In training, all branches with their
  /// normalisations.
  package func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    switch pass {
    case .inference:
      var cost = try merged.cost(for: input, pass: pass)
      cost.parameters = parameterCount
      return cost
    case .forward, .backward: return try branches.cost(for: input, pass: pass)
    }
  }

  package func forward(_ input: Tensor, _ context: Context) -> Tensor {
    context.training ? branches.forward(input, context) : infer(input, .none, context)
  }

  package func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    merge()
    return merged.infer(input, epilogue, context)
  }

  /// Computes the single convolution's weights again if any branch's have changed.
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

  /// Adds a smaller window's weights at the centre.
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

  package var parametersMergedAway: Int { parameterCount - merged.parameterCount }
}

extension ComposedLayer: MergesBranches {
  /// Those of the whole layer, if layers inside it merge branches.
  package func forms(for input: FeatureShape) throws -> LayerSummary.Forms? {
    guard parametersMergedAway > 0 else { return nil }
    var merged = try cost(for: input, pass: .inference)
    merged.parameters -= parametersMergedAway
    return .init(branches: try cost(for: input, pass: .forward), merged: merged)
  }

  package var parametersMergedAway: Int { inner.parametersMergedAwayInside }
}

extension MergedBranches: HasWindows {
  /// Those of the single convolution.
  package func taps(for input: FeatureShape) throws -> LayerSummary.Taps? { try merged.taps(for: input) }
}

extension Layer {
  /// Those of the outermost layers that merge branches: a composed layer counts what is inside it.
  fileprivate var parametersMergedAwayInside: Int {
    (self as? any MergesBranches)?.parametersMergedAway
      ?? children.reduce(0) { $0 + $1.layer.parametersMergedAwayInside }
  }
}

/// A layer whose weights may be added to those of another, if it is a plain convolution.
private protocol MayBePlain: Layer {
  /// That convolution; nil if it is something else.
  var plain: ConvolutionLayer? { get }
}

extension ConvolutionLayer: MayBePlain {
  fileprivate var plain: ConvolutionLayer? { isPlain ? self : nil }

  /// Whether its filter may be added to another's: a sum of products on the grid, of all channels, with weights of any values.
  private var isPlain: Bool {
    combination.isProduct && sampling.isRegularGrid && !countsFourier && !weights.hasOwnGradients
      && bias == nil
      && geometry.groups == 1
  }
}

extension ConvolutionGeometry {
  /// A smaller odd window about the centre of this one's.
  fileprivate func concentric(_ window: Pair, of kernel: String) throws -> ConvolutionGeometry {
    let cut = Pair(
      (self.kernel.height - window.height) / 2 * dilation.height,
      (self.kernel.width - window.width) / 2 * dilation.width)
    guard min(padding.top, padding.bottom) >= cut.height, min(padding.left, padding.right) >= cut.width else {
      throw WorkbenchError(
        "\(kernel) needs padding of at least \(cut), so that its smaller windows are centred.")
    }
    return try with(
      kernel: window,
      padding: Padding(
        top: padding.top - cut.height, left: padding.left - cut.width, bottom: padding.bottom - cut.height,
        right: padding.right - cut.width))
  }

  /// The 1×1 weights of the identity.
  fileprivate var identityWeight: Tensor {
    var weight = Tensor(repeating: 0, [1, 1, channelsPerGroup, outputChannels])
    for output in 0..<outputChannels { weight[output % channelsPerGroup * outputChannels + output] = 1 }
    return weight
  }
}
