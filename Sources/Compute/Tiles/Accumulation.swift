/// How a microkernel accumulates the terms of an output: one type for each `TileStep`, in its own file.
///
/// The functions are static, so that each way of accumulating has its own compiled loop.
protocol Accumulation {
  /// What the accumulators start from: the bias, unless it says otherwise.
  static func start(bias: Vector) -> Vector

  /// The accumulators after one more term of `x` and `w`.
  ///
  /// - Parameter one: 1 in each lane, opaque to the optimiser: `sum + one · term` stays a multiply–add, which runs
  ///   on the multipliers where the adders are busy.
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector

  /// The outputs, once all terms are in: the accumulators, unless it says otherwise.
  static func end(_ sum: Vector, bias: Vector) -> Vector
}

extension Accumulation {
  @inline(__always) static func start(bias: Vector) -> Vector { bias }
  @inline(__always) static func end(_ sum: Vector, bias: Vector) -> Vector { sum }
}
