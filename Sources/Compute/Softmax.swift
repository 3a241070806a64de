/// Softmax over the rows of a matrix, and its gradient.
package enum Softmax {
  /// Replaces each row by exp(x − max) / Σ exp(x − max).
  package static func rows(_ values: UnsafeMutablePointer<Float>, rows: Int, columns: Int, threads: Int) {
    parallel(rows, threads: threads) { range in
      for index in range {
        let row = values + index &* columns
        var largest = Vector(repeating: -.infinity)
        forEachPart(columns) { place, lanes in
          // Lanes beyond the end repeat the first value.
          largest = largest.maximum(part(row, place, lanes, fill: row[0]))
        }
        let top = Vector(repeating: largest.max())
        var sums = Vector.zero
        forEachPart(columns) { place, lanes in
          let value = (part(row, place, lanes, fill: -.infinity) - top).exponential
          sums += value
          Tail.store(value, row + place, lanes)
        }
        let factor = Vector(repeating: 1 / sums.sum())
        forEachPart(columns) { place, lanes in
          Tail.store(Tail.load(row + place, lanes) * factor, row + place, lanes)
        }
      }
    }
  }

  /// The gradient to what softmax was taken of: a · (g − Σ a · g), row by row.
  package static func gradient(
    _ a: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, rows: Int,
    columns: Int, threads: Int
  ) {
    parallel(rows, threads: threads) { range in
      for index in range {
        let a = a + index &* columns, g = g + index &* columns, result = result + index &* columns
        var sums = Vector.zero
        forEachPart(columns) { sums = sums.fused(Tail.load(a + $0, $1), Tail.load(g + $0, $1)) }
        let mean = Vector(repeating: sums.sum())
        forEachPart(columns) {
          Tail.store(Tail.load(a + $0, $1) * (Tail.load(g + $0, $1) - mean), result + $0, $1)
        }
      }
    }
  }

  @inline(__always)
  private static func part(
    _ row: UnsafeMutablePointer<Float>, _ place: Int, _ lanes: Int, fill: Float
  ) -> Vector {
    if lanes >= Vector.scalarCount { return Vector(at: row + place) }
    var vector = Vector(repeating: fill)
    for lane in 0..<lanes { vector[lane] = row[place &+ lane] }
    return vector
  }
}

extension Vector {
  /// exp of each lane, for lanes of at most 0: within 2 units in the last place; 0 below −87; NaN stays.
  ///
  /// With n the nearest whole number to x / ln 2, it is 2ⁿ · exp(x − n · ln 2), the latter by its Taylor series.
  @inline(__always) var exponential: Vector {
    let x = replacing(with: Vector(repeating: -87.3), where: self .< Vector(repeating: -87.3))
    // Adding 1.5 · 2²³ rounds to a whole number, which is then in the low bits.
    let magic = Vector(repeating: 12_582_912)
    let shifted = magic.fused(x, Vector(repeating: 1.442_695_04)), n = shifted - magic
    // ln 2 in two parts, so that n · ln 2 is taken off exactly.
    let r = x.fused(n, Vector(repeating: -0.693_359_375)).fused(n, Vector(repeating: 2.121_944_4e-4))
    var p = Vector(repeating: 1 / 720)
    p = Vector(repeating: 1 / 120).fused(p, r)
    p = Vector(repeating: 1 / 24).fused(p, r)
    p = Vector(repeating: 1 / 6).fused(p, r)
    p = Vector(repeating: 1 / 2).fused(p, r)
    p = Vector(repeating: 1).fused(p, r)
    p = Vector(repeating: 1).fused(p, r)
    let power = (unsafeBitCast(shifted, to: VectorBits.self) &<< 23) &+ VectorBits(repeating: 127 << 23)
    let result = p * unsafeBitCast(power, to: Vector.self)
    return result.replacing(with: Vector.zero, where: self .< Vector(repeating: -87.3))
  }
}
