/// The one-dimensional transforms of Winograd's minimal filtering F(m, 3): m outputs of 3 taps by m + 2 products
/// (Lavin and Gray, 2015, arXiv:1509.09308). Each is used along rows, then along columns.
protocol WinogradTransform {
  /// m
  static var outputs: Int { get }
  /// Bᵀ · d
  static func input(_ d: some VectorSource, _ t: some VectorTarget)
  /// G · g
  static func weights(_ g: some VectorSource, _ u: some VectorTarget)
  /// Aᵀ · m
  static func output(_ m: some VectorSource, _ y: some VectorTarget)
  /// A · g: the transpose of `output`, for the gradient to the weights
  static func gradient(_ g: some VectorSource, _ z: some VectorTarget)
  /// Gᵀ · u: the transpose of `weights`, for the gradient to the weights
  static func taps(_ u: some VectorSource, _ w: some VectorTarget)
}

extension WinogradTransform {
  /// m + 2
  @inline(__always) static var points: Int { outputs &+ 2 }
}

/// F(2, 3), at the points 0, 1, −1, ∞.
enum WinogradTwo: WinogradTransform {
  @inline(__always) static var outputs: Int { 2 }

  @inline(__always)
  static func input(_ d: some VectorSource, _ t: some VectorTarget) {
    let d0 = d(0), d1 = d(1), d2 = d(2), d3 = d(3)
    t(0, d0 - d2)
    t(1, d1 + d2)
    t(2, d2 - d1)
    t(3, d1 - d3)
  }

  @inline(__always)
  static func weights(_ g: some VectorSource, _ u: some VectorTarget) {
    let g0 = g(0), g1 = g(1), g2 = g(2)
    u(0, g0)
    u(1, (g0 + g1 + g2) * 0.5)
    u(2, (g0 - g1 + g2) * 0.5)
    u(3, g2)
  }

  @inline(__always)
  static func output(_ m: some VectorSource, _ y: some VectorTarget) {
    let m0 = m(0), m1 = m(1), m2 = m(2), m3 = m(3)
    y(0, m0 + m1 + m2)
    y(1, m1 - m2 - m3)
  }

  @inline(__always)
  static func gradient(_ g: some VectorSource, _ z: some VectorTarget) {
    let g0 = g(0), g1 = g(1)
    z(0, g0)
    z(1, g0 + g1)
    z(2, g0 - g1)
    z(3, -g1)
  }

  @inline(__always)
  static func taps(_ u: some VectorSource, _ w: some VectorTarget) {
    let u1 = u(1), u2 = u(2), half = (u1 + u2) * 0.5
    w(0, u(0) + half)
    w(1, (u1 - u2) * 0.5)
    w(2, half + u(3))
  }
}

/// F(4, 3), at the points 0, ±√½, ±√2, ∞: their products are 1, and rounding errors a quarter of those at the usual
/// points 0, ±1, ±2, ∞ (on choosing points: Barabasz et al., 2018, arXiv:1803.10986).
enum WinogradFour: WinogradTransform {
  @inline(__always) static var outputs: Int { 4 }
  @inline(__always) private static var a: Float { 0.707_106_77 }
  @inline(__always) private static var b: Float { 1.414_213_5 }

  @inline(__always)
  static func input(_ d: some VectorSource, _ t: some VectorTarget) {
    let d0 = d(0), d1 = d(1), d2 = d(2), d3 = d(3), d4 = d(4), d5 = d(5)
    let sum = Vector(repeating: -2.5), two = Vector(repeating: -2), half = Vector(repeating: -0.5)
    t(0, (d0 + d4).fused(sum, d2))
    let evenA = d4.fused(two, d2), oddA = d3.fused(two, d1)
    t(1, evenA.fused(Vector(repeating: a), oddA))
    t(2, evenA.fused(Vector(repeating: -a), oddA))
    let evenB = d4.fused(half, d2), oddB = d3.fused(half, d1)
    t(3, evenB.fused(Vector(repeating: b), oddB))
    t(4, evenB.fused(Vector(repeating: -b), oddB))
    t(5, (d1 + d5).fused(sum, d3))
  }

  @inline(__always)
  static func weights(_ g: some VectorSource, _ u: some VectorTarget) {
    let g0 = g(0), g1 = g(1), g2 = g(2)
    u(0, g0)
    let evenA = (g0 + g2 * 0.5) * (-2 / 3), oddA = g1 * (-2 / 3 * a)
    u(1, evenA + oddA)
    u(2, evenA - oddA)
    let evenB = (g0 + g2 * 2) * (1 / 6), oddB = g1 * (b / 6)
    u(3, evenB + oddB)
    u(4, evenB - oddB)
    u(5, g2)
  }

  @inline(__always)
  static func output(_ m: some VectorSource, _ y: some VectorTarget) {
    let m1 = m(1), m2 = m(2), m3 = m(3), m4 = m(4)
    let s1 = m1 + m2, s2 = m3 + m4, d1 = m1 - m2, d2 = m3 - m4
    y(0, m(0) + s1 + s2)
    y(1, (d1 * a).fused(Vector(repeating: b), d2))
    y(2, (s1 * 0.5).fused(Vector(repeating: 2), s2))
    y(3, m(5).fused(Vector(repeating: a / 2), d1).fused(Vector(repeating: 2 * b), d2))
  }

  @inline(__always)
  static func gradient(_ g: some VectorSource, _ z: some VectorTarget) {
    let g0 = g(0), g1 = g(1), g2 = g(2), g3 = g(3)
    let evenA = g0.fused(Vector(repeating: 0.5), g2), oddA = g1.fused(Vector(repeating: 0.5), g3)
    let evenB = g0.fused(Vector(repeating: 2), g2), oddB = g1.fused(Vector(repeating: 2), g3)
    z(0, g0)
    z(1, evenA.fused(Vector(repeating: a), oddA))
    z(2, evenA.fused(Vector(repeating: -a), oddA))
    z(3, evenB.fused(Vector(repeating: b), oddB))
    z(4, evenB.fused(Vector(repeating: -b), oddB))
    z(5, g3)
  }

  @inline(__always)
  static func taps(_ u: some VectorSource, _ w: some VectorTarget) {
    let u1 = u(1), u2 = u(2), u3 = u(3), u4 = u(4)
    let sumA = (u1 + u2) * (-1 / 3), sumB = (u3 + u4) * (1 / 6)
    w(0, u(0) + sumA * 2 + sumB)
    w(1, ((u1 - u2) * (-2 / 3 * a)).fused(Vector(repeating: b / 6), u3 - u4))
    w(2, u(5) + sumA + sumB * 2)
  }
}

/// Vectors to be read one by one. A type instead of a closure: calls of closures are not always inlined.
protocol VectorSource {
  func callAsFunction(_ index: Int) -> Vector
}

/// Where vectors go one by one.
protocol VectorTarget {
  func callAsFunction(_ index: Int, _ vector: Vector)
}

/// Vectors at equal distances in memory.
struct EvenVectors: VectorSource, VectorTarget {
  let first: UnsafeMutablePointer<Float>
  let step: Int

  @inline(__always) func callAsFunction(_ index: Int) -> Vector { Vector(at: first + index &* step) }
  @inline(__always) func callAsFunction(_ index: Int, _ vector: Vector) {
    vector.store(first + index &* step)
  }
}

/// The same, where only the first lanes of each exist.
struct EvenTails: VectorSource, VectorTarget {
  let first: UnsafeMutablePointer<Float>
  let step: Int
  let lanes: Int

  @inline(__always) func callAsFunction(_ index: Int) -> Vector { Tail.load(first + index &* step, lanes) }
  @inline(__always) func callAsFunction(_ index: Int, _ vector: Vector) {
    Tail.store(vector, first + index &* step, lanes)
  }
}

/// A vector of each of some pixels, `step` apart in a list of them.
struct PixelVectors: VectorSource {
  let pixels: UnsafePointer<UnsafePointer<Float>>
  let step: Int
  let channel: Int

  @inline(__always) func callAsFunction(_ index: Int) -> Vector {
    Vector(at: pixels[index &* step] + channel)
  }
}

/// The same, where only the first lanes of each exist.
struct PixelTails: VectorSource {
  let pixels: UnsafePointer<UnsafePointer<Float>>
  let step: Int
  let channel: Int
  let lanes: Int

  @inline(__always) func callAsFunction(_ index: Int) -> Vector {
    Tail.load(pixels[index &* step] + channel, lanes)
  }
}
