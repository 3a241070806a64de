/// How an output combines what it reads with a weight: the second of an operator's four answers.
///
/// To add one: a case here; a type that conforms to `TileStep`, in a file of its own like `MultiplyStep.swift`; and a
/// line in `run(_:single:)` below, which the compiler asks for. The microkernel, its sizes and its tests know it then.
public enum Combination: String, Sendable, CaseIterable {
  /// y = Σ x · w
  case multiply
  /// y = −Σ |x − w| (AdderNet; Chen et al., 2020, arXiv:1912.13200)
  case adder
}

extension Combination {
  /// Runs the microkernel of this combination: the only place that chooses a `TileStep`.
  ///
  /// - Parameter single: whether the panel is one vector of outputs wide, not two.
  @inline(__always)
  func run(_ tile: TileArguments, single: Bool) {
    switch self {
    case .multiply: run(tile, single: single, MultiplyStep.self)
    case .adder: run(tile, single: single, DistanceStep.self)
    }
  }

  @inline(__always)
  private func run<Step: TileStep>(_ tile: TileArguments, single: Bool, _ step: Step.Type) {
    if tile.channelStep == 1 { tile.run(single: single, step) } else { tile.runStrided(single: single, step) }
  }
}
