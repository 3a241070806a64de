/// Three neighbours: the weights of a window's row for one channel, or the gradients of three windows.
struct WindowRow {
  let a, b, c: Vector

  @inline(__always) init(_ weights: UnsafePointer<Float>, _ step: Int) {
    a = Vector(at: weights)
    b = Vector(at: weights + step)
    c = Vector(at: weights + 2 &* step)
  }

  /// x is the first that the row's first window reads.
  @inline(__always) func enter(_ x: Float, _ s: inout Vector) { s = s.fused(Vector(repeating: x), a) }

  @inline(__always) func enter(_ x: Float, _ s: inout Vector, _ next: inout Vector) {
    let x = Vector(repeating: x)
    s = s.fused(x, b)
    next = next.fused(x, a)
  }

  /// x is read by three windows: it is the last of the first, and the first of the last.
  @inline(__always)
  func slide(_ x: Float, _ first: inout Vector, _ second: inout Vector, _ third: inout Vector) {
    let x = Vector(repeating: x)
    first = first.fused(x, c)
    second = second.fused(x, b)
    third = third.fused(x, a)
  }

  @inline(__always) func leave(_ x: Float, _ s: inout Vector, _ next: inout Vector) {
    let x = Vector(repeating: x)
    s = s.fused(x, c)
    next = next.fused(x, b)
  }

  /// x is the last that the row's last window reads.
  @inline(__always) func leave(_ x: Float, _ s: inout Vector) { s = s.fused(Vector(repeating: x), c) }
}
