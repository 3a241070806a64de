/// Three neighbouring vectors: a channel's weights for a row of the window, or the gradients of three windows.
struct ThreeTaps {
  let first, second, third: Vector

  /// - Parameter step: the distance of the vectors in memory; may be negative.
  @inline(__always) init(_ first: UnsafePointer<Float>, step: Int) {
    self.first = Vector(at: first)
    second = Vector(at: first + step)
    third = Vector(at: first + 2 &* step)
  }

  /// `sum` + Σ of three inputs times these.
  @inline(__always) func products(_ a: Vector, _ b: Vector, _ c: Vector, addedTo sum: Vector) -> Vector {
    sum.fused(a, first).fused(b, second).fused(c, third)
  }
}
