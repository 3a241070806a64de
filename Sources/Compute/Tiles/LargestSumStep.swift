/// A tropical convolution: y = bias + max over all terms of x + w. A term that is NaN is never the largest.
enum LargestSumStep: Accumulation {
  @inline(__always)
  static func start(bias: Vector) -> Vector { Vector(repeating: -.infinity) }

  @inline(__always)
  static func add(_ x: Vector, _ w: Vector, to sum: Vector, one: Vector) -> Vector { sum.maximum(x + w) }

  @inline(__always)
  static func end(_ sum: Vector, bias: Vector) -> Vector { sum + bias }
}
