import Layers
import Tensors

/// Dynamic snake convolution: a long row or column of taps, each displaced by at most a pixel from the one before.
struct Snake: ComposedKernel {
  let name = "snake"
  let family = KernelFamily.positions
  let summary = "curved rows and columns of taps: each tap moves sideways from the one before it"
  let formula =
    "y[p, o] = Σ over t, c of x(p·s + (Δ[p, t], t), c) · v[t, c, o] + x(p·s + (t, Γ[p, t]), c) · w[t, c, o], Δ and Γ sums of tanh(d ∗ x) from the middle on"
  let paper = "Qi et al., 2023, arXiv:2307.08388"
  let options: [any AnyKernelOption] = [length, axes, KernelOptions.dilation]

  private enum Axes: String, CaseIterable { case both, row, column }

  private static let length = KernelOption(
    "length", .odd(3...255), initial: 9, help: "the number of taps in a row or a column")
  private static let axes = KernelOption(
    "axes", .word, initial: Axes.both,
    help:
      "row: taps side by side that move up and down; column: taps above each other that move sideways; both: their sum"
  )

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let whole = site.geometry, length = site.options[Self.length], axes = site.options[Self.axes]
    if whole.taps == 1 { return try site.pointwise() }
    try whole.checkKeepsSize()
    func line(_ name: String, _ window: Pair, bias: Bool) throws -> NamedLayer {
      let own = KernelSite(
        geometry: try whole.centered(window), bias: bias, algorithm: site.algorithm,
        random: site.random.split(name))
      return (name, try ConvolutionLayer(own, sampling: SnakeOffsets(own, predictedAt: whole)))
    }
    var lines: [NamedLayer] = []
    if axes != .column { lines.append(try line("row", Pair(1, length), bias: site.bias)) }
    if axes != .row {
      lines.append(try line("column", Pair(length, 1), bias: site.bias && lines.isEmpty))
    }
    return lines.count == 1
      ? ComposedLayer(site, lines) : ComposedLayer(site, Branches(lines, join: .sum))
  }
}
