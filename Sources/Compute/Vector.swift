extension SIMD where Scalar == Float {
  /// The vector that starts at `pointer`, which needs no alignment.
  @inline(__always) init(at pointer: UnsafePointer<Float>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: Self.self)
  }

  /// Writes the vector to `pointer`, which needs no alignment.
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Self.self)
  }

  /// `self + a · b`, rounded once where the processor can (without FMA that would be a call per lane).
  @inline(__always) func fused(_ a: Self, _ b: Self) -> Self {
    #if WORKBENCH_FMA || arch(arm64)
      addingProduct(a, b)
    #else
      self + a * b
    #endif
  }
}

extension Vector {
  /// The absolute value of each lane.
  @inline(__always) var magnitude: Vector {
    unsafeBitCast(
      unsafeBitCast(self, to: VectorBits.self) & VectorBits(repeating: 0x7fff_ffff), to: Vector.self)
  }

  // Transparent, because comparisons branch for each lane until they are optimised, and several of them would exceed
  // the inliner's budget, which does not apply to transparent functions.

  /// The smaller of each pair of lanes.
  @_transparent func minimum(_ other: Vector) -> Vector { replacing(with: other, where: other .< self) }
  /// The larger of each pair of lanes.
  @_transparent func maximum(_ other: Vector) -> Vector { replacing(with: other, where: other .> self) }
}

/// Vectors of which only the first lanes exist in memory.
enum Tail {
  /// The vector whose first `count` lanes lie at `pointer`; the others are zeros.
  @inline(__always)
  static func load(_ pointer: UnsafePointer<Float>, _ count: Int) -> Vector {
    if count >= Vector.scalarCount { return Vector(at: pointer) }
    var vector = Vector.zero
    loadPart(&vector, pointer, count)
    return vector
  }

  /// Writes the first `count` lanes.
  @inline(__always)
  static func store(_ vector: Vector, _ pointer: UnsafeMutablePointer<Float>, _ count: Int) {
    if count >= Vector.scalarCount { return vector.store(pointer) }
    var vector = vector
    storePart(&vector, pointer, count)
  }

  // Out of line, because inlining this would use up the compiler's budget for the hot loops; by address, because a call
  // takes and returns a vector of 16 lanes in four parts, in which the loops around it would then keep all vectors.
  @inline(never)
  private static func loadPart(_ vector: inout Vector, _ pointer: UnsafePointer<Float>, _ count: Int) {
    let bytes = max(count, 0) &* MemoryLayout<Float>.stride
    withUnsafeMutableBytes(of: &vector) { $0.baseAddress?.copyMemory(from: pointer, byteCount: bytes) }
  }

  @inline(never)
  private static func storePart(_ vector: inout Vector, _ pointer: UnsafeMutablePointer<Float>, _ count: Int)
  {
    let bytes = max(count, 0) &* MemoryLayout<Float>.stride
    withUnsafeBytes(of: &vector) {
      if let lanes = $0.baseAddress {
        UnsafeMutableRawPointer(pointer).copyMemory(from: lanes, byteCount: bytes)
      }
    }
  }
}

/// Runs `body` over a row of `count` values, vector by vector, with what is left from each place on: its lanes if they are
/// fewer than a vector's.
@inline(__always)
func forEachPart(_ count: Int, _ body: (_ place: Int, _ lanes: Int) -> Void) {
  var place = 0
  while place < count {
    body(place, count &- place)
    place = place &+ Vector.scalarCount
  }
}
