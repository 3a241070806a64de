/// x · Φ(x), Φ the standard normal distribution's function, and its slope.
///
/// Φ follows from formula 7.1.26 of Abramowitz and Stegun, Handbook of Mathematical Functions (1964), whose error is at
/// most 1.5e-7 in erf and half of that in Φ: about one unit in the last place of 1.
package enum GaussianUnit {
  /// y = x · Φ(x)
  package static func values(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int, threads: Int
  ) {
    forEachVector(count, threads: threads) {
      value(Vector(at: x + $0)).store(y + $0)
    } elements: {
      y[$0] = value(Vector(repeating: x[$0]))[0]
    }
  }

  /// dx = g · (Φ(x) + x · φ(x)), φ the density; `g` and `dx` may be the same.
  package static func gradient(
    _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, count: Int,
    threads: Int
  ) {
    forEachVector(count, threads: threads) {
      (Vector(at: g + $0) * slope(Vector(at: x + $0))).store(dx + $0)
    } elements: {
      dx[$0] = g[$0] * slope(Vector(repeating: x[$0]))[0]
    }
  }

  @inline(__always) private static func value(_ x: Vector) -> Vector { x * parts(x).share }

  @inline(__always) private static func slope(_ x: Vector) -> Vector {
    let (share, density) = parts(x)
    return share.fused(x, density)
  }

  /// Φ and φ.
  @inline(__always) private static func parts(_ x: Vector) -> (share: Vector, density: Vector) {
    let one = Vector(repeating: 1)
    let z = x.replacing(with: -x, where: x .< Vector.zero) * Vector(repeating: 0.707_106_78)
    let t = one / one.fused(z, Vector(repeating: 0.327_591_1))
    var p = Vector(repeating: 1.061_405_429)
    p = Vector(repeating: -1.453_152_027).fused(p, t)
    p = Vector(repeating: 1.421_413_741).fused(p, t)
    p = Vector(repeating: -0.284_496_736).fused(p, t)
    p = Vector(repeating: 0.254_829_592).fused(p, t)
    let e = (-(z * z)).exponential
    let tail = p * t * e * Vector(repeating: 0.5)
    let share = (one - tail).replacing(with: tail, where: x .< Vector.zero)
    return (share, e * Vector(repeating: 0.398_942_28))
  }
}
