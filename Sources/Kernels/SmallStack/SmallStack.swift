import Layers
import Tensors

/// Several 3×3 convolutions instead of one with a larger window.
struct SmallStack: ComposedKernel {
  let name = "small-stack"
  let family = KernelFamily.stages
  let summary = "3×3 convolutions with ReLUs between them that together cover a 5×5 or 7×7 window"
  let formula = "y = w₂ ∗ relu(w₁ ∗ x), or w₃ ∗ relu(w₂ ∗ relu(w₁ ∗ x)), each w 3×3"
  let paper = "Simonyan and Zisserman, 2014, arXiv:1409.1556"
  let options: [any AnyKernelOption] = [reach]

  private static let reach = KernelOption(
    "reach", .oneOf([5, 7]), initial: 5,
    help: "the covered window: 5 by two for 18 instead of 25 weights, 7 by three for 27 instead of 49")

  func remarks(_ options: KernelOptions) -> [String] {
    let reach = options[Self.reach], count = reach / 2
    let saved = 100 - Int((Double(100 * 9 * count) / Double(reach * reach)).rounded())
    return [
      "\(count) 3×3 convolutions cover a \(reach)×\(reach) window with \(9 * count) weights and MACs instead of \(reach * reach), with equal channels: \(saved) % fewer."
    ]
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry
    if whole.taps == 1 { return try site.pointwise() }
    try whole.checkKeepsSize()
    let count = site.options[Self.reach] / 2
    let stages = try (0..<count).map { index in
      (
        name: "conv\(index + 1)",
        geometry: try index == 0
          ? whole.centered(3) : whole.centered(3, from: whole.outputChannels, stride: Pair(1))
      )
    }
    return ComposedLayer(site, try site.stages(stages, rectified: true))
  }
}
