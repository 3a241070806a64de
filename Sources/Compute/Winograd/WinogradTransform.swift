/// The one-dimensional transforms of Winograd's minimal filtering F(m, 3): m outputs of 3 taps by m + 2 products
/// (Lavin and Gray, 2015, arXiv:1509.09308). Each is used along rows, then along columns.
///
/// Vectors lie `step` apart.
protocol WinogradTransform {
  /// m
  static var outputs: Int { get }
  /// Bᵀ · d
  static func input(_ d: UnsafePointer<Vector>, _ t: UnsafeMutablePointer<Vector>, step: Int)
  /// G · g
  static func weights(_ g: UnsafePointer<Vector>, _ u: UnsafeMutablePointer<Vector>, step: Int)
  /// Aᵀ · m
  static func output(_ m: UnsafePointer<Vector>, _ y: UnsafeMutablePointer<Vector>, step: Int)
}

extension WinogradTransform {
  /// m + 2
  @inline(__always) static var points: Int { outputs &+ 2 }
}

/// F(2, 3), at the points 0, 1, −1, ∞.
enum WinogradTwo: WinogradTransform {
  @inline(__always) static var outputs: Int { 2 }

  @inline(__always)
  static func input(_ d: UnsafePointer<Vector>, _ t: UnsafeMutablePointer<Vector>, step: Int) {
    let d0 = d[0], d1 = d[step], d2 = d[2 &* step], d3 = d[3 &* step]
    t[0] = d0 - d2
    t[step] = d1 + d2
    t[2 &* step] = d2 - d1
    t[3 &* step] = d1 - d3
  }

  @inline(__always)
  static func weights(_ g: UnsafePointer<Vector>, _ u: UnsafeMutablePointer<Vector>, step: Int) {
    let g0 = g[0], g1 = g[step], g2 = g[2 &* step]
    u[0] = g0
    u[step] = (g0 + g1 + g2) * 0.5
    u[2 &* step] = (g0 - g1 + g2) * 0.5
    u[3 &* step] = g2
  }

  @inline(__always)
  static func output(_ m: UnsafePointer<Vector>, _ y: UnsafeMutablePointer<Vector>, step: Int) {
    let m0 = m[0], m1 = m[step], m2 = m[2 &* step], m3 = m[3 &* step]
    y[0] = m0 + m1 + m2
    y[step] = m1 - m2 - m3
  }
}

/// F(4, 3), at the points 0, ±√½, ±√2, ∞: their products are 1, and rounding errors a quarter of those at the usual
/// points 0, ±1, ±2, ∞ (on choosing points: Barabasz et al., 2018, arXiv:1803.10986).
enum WinogradFour: WinogradTransform {
  @inline(__always) static var outputs: Int { 4 }
  @inline(__always) private static var a: Float { 0.707_106_77 }
  @inline(__always) private static var b: Float { 1.414_213_5 }

  @inline(__always)
  static func input(_ d: UnsafePointer<Vector>, _ t: UnsafeMutablePointer<Vector>, step: Int) {
    let d0 = d[0], d1 = d[step], d2 = d[2 &* step], d3 = d[3 &* step], d4 = d[4 &* step], d5 = d[5 &* step]
    let sum = Vector(repeating: -2.5), two = Vector(repeating: -2), half = Vector(repeating: -0.5)
    t[0] = (d0 + d4).fused(sum, d2)
    let evenA = d4.fused(two, d2), oddA = d3.fused(two, d1)
    t[step] = evenA.fused(Vector(repeating: a), oddA)
    t[2 &* step] = evenA.fused(Vector(repeating: -a), oddA)
    let evenB = d4.fused(half, d2), oddB = d3.fused(half, d1)
    t[3 &* step] = evenB.fused(Vector(repeating: b), oddB)
    t[4 &* step] = evenB.fused(Vector(repeating: -b), oddB)
    t[5 &* step] = (d1 + d5).fused(sum, d3)
  }

  @inline(__always)
  static func weights(_ g: UnsafePointer<Vector>, _ u: UnsafeMutablePointer<Vector>, step: Int) {
    let g0 = g[0], g1 = g[step], g2 = g[2 &* step]
    u[0] = g0
    let evenA = (g0 + g2 * 0.5) * (-2 / 3), oddA = g1 * (-2 / 3 * a)
    u[step] = evenA + oddA
    u[2 &* step] = evenA - oddA
    let evenB = (g0 + g2 * 2) * (1 / 6), oddB = g1 * (b / 6)
    u[3 &* step] = evenB + oddB
    u[4 &* step] = evenB - oddB
    u[5 &* step] = g2
  }

  @inline(__always)
  static func output(_ m: UnsafePointer<Vector>, _ y: UnsafeMutablePointer<Vector>, step: Int) {
    let m1 = m[step], m2 = m[2 &* step], m3 = m[3 &* step], m4 = m[4 &* step]
    let s1 = m1 + m2, s2 = m3 + m4, d1 = m1 - m2, d2 = m3 - m4
    y[0] = m[0] + s1 + s2
    y[step] = (d1 * a).fused(Vector(repeating: b), d2)
    y[2 &* step] = (s1 * 0.5).fused(Vector(repeating: 2), s2)
    y[3 &* step] = m[5 &* step].fused(Vector(repeating: a / 2), d1).fused(Vector(repeating: 2 * b), d2)
  }
}
