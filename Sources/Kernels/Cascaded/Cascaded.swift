import Layers
import Tensors

/// Dilated convolutions, one after the other.
struct Cascaded: ComposedKernel {
  let name = "cascaded"
  let family = KernelFamily.stages
  let summary = "dilated 3×3 convolutions one after the other, a ReLU between them"
  let formula = "y = w_n ∗_{r_n} relu(… relu(w₁ ∗_{r₁} x)), each w 3×3 with its taps r apart"
  let paper = "Wang et al., 2017, arXiv:1702.08502; Yu and Koltun, 2015, arXiv:1511.07122"
  let options: [any AnyKernelOption] = [rates]

  private static let rates = KernelOption(
    "rates", .list(1...8), initial: [1, 2, 5],
    help: "the dilations, first to last; in a dilated place, times its own")

  func remarks(_ options: KernelOptions) -> [String] {
    let rates = options[Self.rates]
    guard let hole = Self.hole(rates) else { return [] }
    let text = rates.map(String.init).joined(separator: ", ")
    return [
      "The rates \(text) leave holes in what an output sees (gridding): no path leads to the pixel \(hole) beside it; the hybrid-dilation rule wants rates without a common divisor that grow slowly, such as 1-2-5."
    ]
  }

  /// The nearest pixel within an output's reach that does not contribute to it; nil if all do.
  ///
  /// The rule of hybrid dilated convolution (Wang et al., 2017, §3.2) is that there is no such pixel.
  static func hole(_ rates: [Int]) -> Int? {
    let reach = rates.reduce(0, +)
    var seen: Set<Int> = [0]
    for rate in rates { seen = Set(seen.flatMap { [$0 - rate, $0, $0 + rate] }) }
    return (1...max(reach, 1)).first { !seen.contains($0) }
  }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry
    if whole.taps == 1 { return try site.pointwise() }
    try whole.checkKeepsSize()
    let stages = try site.options[Self.rates].enumerated().map { index, rate in
      (
        name: "conv\(index + 1)",
        geometry: try index == 0
          ? whole.centered(3, dilated: rate)
          : whole.centered(3, from: whole.outputChannels, stride: Pair(1), dilated: rate)
      )
    }
    return ComposedLayer(site, try site.stages(stages, rectified: true))
  }
}
