import Layers
import Tensors

/// MixConv: depthwise windows of several sizes, each for a share of the channels.
struct MixedDepthwise: ComposedKernel {
  let name = "mixed-depthwise"
  let family = KernelFamily.branches
  let summary =
    "depthwise windows of several sizes, each over its share of the channels; a 1×1 follows if channels change"
  let formula = "y[p, c] = Σ over t of window(c) of x[p·s + t, c] · w[t, c]"
  let paper = "Tan and Le, 2019, arXiv:1907.09595"
  let options: [any AnyKernelOption] = [windows, KernelOptions.pointwise, KernelOptions.dilation]

  private static let windows = KernelOption(
    "windows", .list(1...8), initial: [3, 5, 7],
    help: "the window sizes, odd, for equal shares of the channels")

  var ignoresGroups: Bool { true }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, windows = site.options[Self.windows]
    if whole.taps == 1 { return try site.pointwise() }
    try whole.checkKeepsSize()
    try checkOdd(windows)
    let shares = whole.inputChannels.shares(windows.count).filter { $0 > 0 }
    let branches = try zip(windows, shares).enumerated().map { index, part in
      try site.convolution(
        "window\(index + 1)", whole.centered(part.0, from: part.1, to: part.1).with(groups: part.1),
        bias: site.bias && !site.mixes)
    }
    return ComposedLayer(
      site, [("", Branches(branches, join: .concatenation, inputs: shares))] + (try site.mixing()))
  }
}

extension Kernel {
  /// Refuses an even window, which has no centre.
  func checkOdd(_ windows: [Int]) throws {
    if let even = windows.first(where: { $0 % 2 == 0 }) {
      throw WorkbenchError("\(name) needs odd windows, which have a centre, not \(even).")
    }
  }
}

extension Int {
  /// A number split into nearly equal parts; the first ones are the larger.
  func shares(_ count: Int) -> [Int] { (0..<count).map { self / count + ($0 < self % count ? 1 : 0) } }
}
