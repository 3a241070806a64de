import Layers
import Tensors

/// Windows of several sizes in parallel, each for a share of the outputs.
struct MultiScale: ComposedKernel {
  let name = "multi-scale"
  let family = KernelFamily.branches
  let summary = "1×1, 3×3 and 5×5 convolutions in parallel, each for a share of the output channels"
  let formula = "y = [w₁ ∗ x, w₃ ∗ x, w₅ ∗ x], channels one after another"
  let paper = "Szegedy et al., 2014, arXiv:1409.4842"
  let options: [any AnyKernelOption] = [split]

  private static let split = KernelOption(
    "split", .list(3...3), initial: [1, 2, 1], help: "the shares of the 1×1, the 3×3 and the 5×5")

  /// It mixes all channels, whatever the place's groups.
  var ignoresGroups: Bool { true }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry
    if whole.taps == 1 { return try site.pointwise() }
    try whole.checkKeepsSize()
    let shares = site.options[Self.split], total = shares.reduce(0, +)
    var branches: [NamedLayer] = [], end = 0, first = 0
    for (window, share) in zip([1, 3, 5], shares) {
      end += share
      let last = whole.outputChannels * end / total
      // With few channels, a window may get none.
      if last > first {
        let geometry = try whole.centered(window, to: last - first)
        branches.append(try site.convolution("conv\(window)", geometry, bias: site.bias))
      }
      first = last
    }
    return ComposedLayer(site, Branches(branches, join: .concatenation))
  }
}
