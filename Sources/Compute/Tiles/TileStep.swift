/// How a microkernel combines inputs with weights: one type for each `Combination`, in a file of its own.
///
/// `Tile` keeps one accumulator for each output of a tile, in registers. Steps are static functions, so that each
/// combination has its own compiled loop.
protocol TileStep {
  /// What the accumulators start from. Sums start from the bias.
  static func start(bias: Vector) -> Vector

  /// The accumulators after one more term of `x` and `w`.
  ///
  /// - Parameter one: 1 in each lane, which the optimiser does not know: `sum + 1 · term` stays a multiply–add and
  ///   takes a multiplier, where the adders are busy.
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector

  /// The outputs, from what was accumulated over all terms.
  static func finish(_ sum: Vector, bias: Vector) -> Vector
}

extension TileStep {
  @inline(__always) static func start(bias: Vector) -> Vector { bias }
  @inline(__always) static func finish(_ sum: Vector, bias: Vector) -> Vector { sum }
}
