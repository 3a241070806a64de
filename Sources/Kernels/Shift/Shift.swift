import Layers
import Tensors

/// The shift operator: channels move by a pixel, at no arithmetic cost.
struct Shift: Kernel {
  let name = "shift"
  let family = KernelFamily.positions
  let summary =
    "each channel moves by one pixel in one of nine directions; a 1×1 follows if channels change"
  let formula =
    "y[h, w, c] = x[h·s + (⌊c/3⌋ mod 3) − 1, w·s + (c mod 3) − 1, c]; channels from ⌊C/9⌋·9 on stay"
  let paper = "Wu et al., 2017, arXiv:1711.08141"
  let options: [any AnyKernelOption] = [KernelOptions.dilation, pointwise, block, expansion]
  let algorithms = DirectOrReference.names

  enum Pointwise: String, CaseIterable { case auto, always }
  private enum Block: String, CaseIterable { case none, csc }

  static let pointwise = KernelOption(
    "pointwise", .word, initial: Pointwise.auto,
    help: "auto: a 1×1 follows where the number of channels changes")
  private static let block = KernelOption(
    "block", .word, initial: Block.none,
    help: "csc: 1×1 to expansion times the outputs, ReLU, shift, 1×1 back, as in ShiftNet's block")
  private static let expansion = KernelOption(
    "expansion", .count, initial: 3, help: "of the block's inner channels")

  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    let own = try Self.geometry(at: place.dilated(by: options[KernelOptions.dilation]), options)
    // ShiftNet's block mixes all channels.
    return options[Self.block] == .csc ? try own.with(groups: 1) : own
  }

  /// A shift alone mixes no channels: a place's groups are the groups of the pointwise convolution, if there is one.
  static func geometry(at place: ConvolutionGeometry, _ options: KernelOptions) throws
    -> ConvolutionGeometry
  {
    mixes(place, options) || place.taps == 1 ? place : try place.with(groups: 1)
  }

  /// Whether a pointwise convolution follows.
  static func mixes(_ place: ConvolutionGeometry, _ options: KernelOptions) -> Bool {
    options[Self.pointwise] == .always || place.inputChannels != place.outputChannels
  }

  /// The window is 3×3, and a weight belongs to the 1×1 convolution. Zeros outside are part of the definition, so
  /// padding 0 (the default) and the window's own padding are the same.
  func site(for request: OperatorRequest) throws -> KernelSite {
    let dilation = try request.tapDistance(of: name)
    let own = Padding(dilation)
    guard request.padding == nil || request.padding == Padding(Pair(0)) || request.padding == own else {
      throw WorkbenchError("shift keeps the image's size and reads zeros outside; leave out --padding.")
    }
    let weight = request.operands.weight
    guard weight.map({ $0.shape[0] == 1 && $0.shape[1] == 1 }) ?? true else {
      throw WorkbenchError(
        "The weight of shift belongs to a 1×1 convolution; its last two extents must be 1.")
    }
    guard request.options[Self.block] != .csc else {
      throw WorkbenchError("shift:block=csc has two weights; apply its parts one after the other.")
    }
    return KernelSite(
      geometry: try ConvolutionGeometry(
        inputChannels: request.inputChannels, outputChannels: weight?.shape[3] ?? request.inputChannels,
        kernel: Pair(3), stride: request.stride, padding: own, dilation: dilation, groups: request.groups),
      options: weight == nil ? request.options : try KernelOptions([("pointwise", "always")], of: self),
      bias: request.operands.bias != nil, algorithm: request.algorithm)
  }

  func biasRefusal(at site: KernelSite) -> String? {
    let whole = site.geometry
    let hasWeights = Self.mixes(whole, site.options) || whole.taps == 1 || site.options[Self.block] == .csc
    return hasWeights ? nil : "shift has no bias without a weight; leave it out."
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    if site.options[Self.block] == .csc { return try block(site) }
    return try ShiftLayer(site, pointwise: site.options[Self.pointwise] == .always)
  }

  /// ShiftNet's convolution–shift–convolution block, without its normalisations.
  private func block(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry
    let (inner, overflow) = whole.outputChannels.multipliedReportingOverflow(
      by: site.options[Self.expansion])
    guard !overflow else { throw WorkbenchError("The expansion of shift:block=csc is too large.") }
    let shift = KernelSite(
      geometry: try whole.with(inputChannels: inner, outputChannels: inner, groups: inner),
      algorithm: site.algorithm)
    return ComposedLayer(
      site,
      [
        try site.convolution("expand", whole.pointwise(to: inner)), ("relu", ReLU()),
        ("shift", try ShiftLayer(shift, pointwise: false)),
        try site.convolution("project", whole.pointwise(from: inner), bias: site.bias),
      ], algorithm: site.algorithm ?? "direct")
  }
}
