/// Squared distances: y = bias − Σ (x − w)².
enum SquaredDistanceStep: Accumulation {
  @inline(__always)
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector {
    let difference = x - w
    return sum.fused(-difference, difference)
  }
}
