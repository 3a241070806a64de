import Layers
import Tensors

/// PyConv: windows of several sizes over all channels, the larger with more groups.
struct Pyramidal: ComposedKernel {
  let name = "pyramidal"
  let family = KernelFamily.branches
  let summary =
    "windows of several sizes in parallel, the larger with more groups, each for a share of the outputs"
  let formula = "y = [w₃ ∗ x, w₅ ∗₄ x, w₇ ∗₈ x, w₉ ∗₁₆ x], ∗ₙ in n groups, channels one after another"
  let paper = "Duta et al., 2020, arXiv:2006.11538"
  let options: [any AnyKernelOption] = [windows, groups, KernelOptions.dilation]

  private static let windows = KernelOption(
    "windows", .list(1...8), initial: [3, 5, 7, 9],
    help: "the window sizes, odd, for equal shares of the outputs")
  private static let groups = KernelOption(
    "groups", .list(1...8), initial: [1, 4, 8, 16],
    help:
      "the most groups of each window; the largest number up to it that divides both numbers of channels is used"
  )

  /// It mixes all channels, whatever the place's groups.
  var ignoresGroups: Bool { true }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, windows = site.options[Self.windows], groups = site.options[Self.groups]
    if whole.taps == 1 { return try site.pointwise() }
    try whole.checkKeepsSize()
    try checkOdd(windows)
    guard groups.count == windows.count else {
      let count = windows.count == 1 ? "1 window" : "\(windows.count) windows"
      let given = groups.count == 1 ? "1 number of groups" : "\(groups.count) numbers of groups"
      throw WorkbenchError("pyramidal has \(count) and \(given); give as many groups as windows.")
    }
    let shares = whole.outputChannels.shares(windows.count)
    let branches = try windows.indices.filter { shares[$0] > 0 }.map { index in
      let level = try whole.centered(windows[index], to: shares[index])
      return try site.convolution(
        "level\(index + 1)", level.with(groups: level.commonDivisor(atMost: groups[index])), bias: site.bias)
    }
    return ComposedLayer(site, Branches(branches, join: .concatenation))
  }
}
