/// The products of a convolution: y = bias + Σ x · w.
enum MultiplyStep: TileStep {
  @inline(__always)
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector { sum.fused(x, w) }
}
