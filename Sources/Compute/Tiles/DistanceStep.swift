/// An adder: y = bias − Σ |x − w|.
enum DistanceStep: Accumulation {
  @inline(__always)
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector { sum - (x - w).magnitude }
}
