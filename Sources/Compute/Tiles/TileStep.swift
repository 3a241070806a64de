/// What a microkernel accumulates over the terms of an output.
///
/// To add one: a case here; a type that conforms to `Accumulation`, in a file like `LargestSumStep.swift`; and a line
/// in `run(_:single:)`, which the compiler demands. All tile sizes and their tests know it then.
public enum TileStep: Sendable, CaseIterable {
  /// The sum of x · w.
  case product
  /// The sum of −|x − w|.
  case distance
  /// The sum of −(x − w)².
  case squaredDistance
  /// The sum of max(x, w).
  case maximum
  /// The maximum of x + w.
  case largestSum

  /// Runs the microkernel for a tile.
  ///
  /// - Parameter single: whether its panel is one vector of outputs wide, not two.
  @inline(__always)
  func run(_ tile: TileArguments, single: Bool) {
    switch self {
    case .product: run(tile, single: single, ProductStep.self)
    case .distance: run(tile, single: single, DistanceStep.self)
    case .squaredDistance: run(tile, single: single, SquaredDistanceStep.self)
    case .maximum: run(tile, single: single, MaximumStep.self)
    case .largestSum: run(tile, single: single, LargestSumStep.self)
    }
  }

  @inline(__always)
  private func run<Step: Accumulation>(_ tile: TileArguments, single: Bool, _ step: Step.Type) {
    if tile.channelStep == 1 { tile.run(single: single, step) } else { tile.runStrided(single: single, step) }
  }
}
