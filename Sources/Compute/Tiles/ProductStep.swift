/// A convolution: y = bias + Σ x · w.
enum ProductStep: Accumulation {
  @inline(__always)
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector { sum.fused(x, w) }
}
