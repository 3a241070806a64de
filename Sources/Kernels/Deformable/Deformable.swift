import Layers
import Tensors

/// Deformable convolution: each tap reads at its grid position plus a learned offset.
struct Deformable: Kernel {
  /// Version 2 multiplies each sample by a learned mask.
  enum Version: Sendable { case v1, v2 }

  let version: Version

  var name: String { version == .v1 ? "deformable" : "deformable-v2" }
  let family = KernelFamily.positions
  var summary: String {
    version == .v1
      ? "k×k convolution that samples bilinearly at learned offsets from its grid"
      : "deformable, with each sample multiplied by a learned mask"
  }
  var formula: String {
    version == .v1
      ? "y[p, o] = Σ over t, c of x(p·s + t + Δ[p, t], c) · w[t, c, o]"
      : "y[p, o] = Σ over t, c of m[p, t] · x(p·s + t + Δ[p, t], c) · w[t, c, o]"
  }
  var paper: String {
    version == .v1 ? "Dai et al., 2017, arXiv:1703.06211" : "Zhu et al., 2018, arXiv:1811.11168"
  }
  var options: [any AnyKernelOption] {
    let shared: [any AnyKernelOption] = [
      KernelOptions.dilation, KernelOptions.combine, KernelOptions.offsetGroups,
    ]
    return version == .v1 ? shared : shared + [Self.mask]
  }

  /// How masks follow from the predictor's outputs.
  enum Mask: String, CaseIterable {
    case sigmoid
    case doubled = "2sigmoid"
  }

  static let mask = KernelOption(
    "mask", .word, initial: Mask.sigmoid, help: "2sigmoid starts as the plain convolution")

  var algorithms: [String] { Algorithms.names(readsRegularGrid: false) }

  init(version: Version) { self.version = version }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(
      site, sampling: PredictedOffsets(site, version), combination: site.options[KernelOptions.combine])
  }

  /// Refuses offsets and masks whose channels do not fit the geometry and each other.
  static func check(offset: Tensor, mask: Tensor?, _ geometry: ConvolutionGeometry, _ version: Version) throws
  {
    let perGroup = 2 * geometry.taps, channels = offset.shape[3]
    guard channels > 0, channels % perGroup == 0 else {
      throw WorkbenchError(
        "The offset has \(channels) channels; a \(geometry.kernel) window needs a multiple of \(perGroup).")
    }
    let groups = channels / perGroup
    guard geometry.inputChannels % groups == 0 else {
      throw WorkbenchError("\(groups) offset groups do not divide \(geometry.inputChannels) input channels.")
    }
    switch (version, mask) {
    case (.v1, nil): break
    case (.v1, _): throw WorkbenchError("deformable takes no mask; leave out --mask, or use deformable-v2.")
    case (.v2, nil):
      throw WorkbenchError("deformable-v2 needs a mask; give it with --mask, or use deformable.")
    case (.v2, let mask?):
      guard mask.shape[3] == groups * geometry.taps else {
        throw WorkbenchError(
          "The mask has \(mask.shape[3]) channels; \(groups) offset groups of a \(geometry.kernel) window need \(groups * geometry.taps)."
        )
      }
    }
  }
}
