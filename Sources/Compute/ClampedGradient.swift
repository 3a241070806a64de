import Tensors

/// AdderNet's gradient to the input: `dx[row, c] = Σ over slots, outputs of clamp(w − x, −1, 1) · g`.
///
/// (Chen et al., 2020, arXiv:1912.13200, equation 11.)
///
/// - Parameters:
///   - rows: the number of input pixels.
///   - weights: packed for the backward pass: `channels` are the forward pass's outputs.
///   - input: x, laid out as dx: a row's x lies as far behind `input` as its dx behind `gradient`.
///   - gradient: dx; the table's output rows point into it.
///   - fill: fills the table of a tile: where each row reads g, for each tap that has one.
public func indirectClampedGradient(
  rows: Int, weights: PackedWeights, input: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
  threads: Int, fill: (Range<Int>, RowTable) -> Int
) {
  let panels = Panels(outputs: weights.outputs)
  let depth = weights.taps * weights.channels
  weights.withPointer { packed in
    parallel((rows + tileRows - 1) / tileRows, threads: threads) { tiles in
      RowTable.withTables(tiles: 1, slots: weights.taps, channels: weights.channels) { tables in
        for tile in tiles {
          let range = tile * tileRows..<min((tile + 1) * tileRows, rows)
          let table = tables[0]
          let slots = fill(range, table)
          table.repeatFirst(from: range.count, slots: slots)
          for group in 0..<weights.groups {
            if group > 0 { table.advance(by: weights.channels, slots: slots) }
            for panel in 0..<panels.count {
              let panelWeights = packed + group * panels.floats(depth: depth) + panel * tileWidth * depth
              let offset = group * weights.outputs + panel * tileWidth
              let columns = min(tileWidth, weights.outputs - panel * tileWidth)
              for row in stride(from: 0, to: range.count, by: 2) {
                let pair = (table.outputs[row], table.outputs[min(row + 1, range.count - 1)])
                let tile = ClampedTile(
                  table: table, row: row, slots: slots, depth: weights.channels, weights: panelWeights,
                  outputs: (pair.0 + offset, pair.1 + offset),
                  inputs: (input + (pair.0 - gradient) + offset, input + (pair.1 - gradient) + offset),
                  columns: columns)
                if panels.width(panel) < tileWidth { tile.runSingle() } else { tile.runPair() }
              }
            }
          }
        }
      }
    }
  }
}

/// Two input pixels × one panel of channels.
private struct ClampedTile {
  let table: RowTable
  let row: Int
  let slots: Int
  let depth: Int
  let weights: UnsafePointer<Float>
  let outputs: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)
  let inputs: (UnsafePointer<Float>, UnsafePointer<Float>)
  let columns: Int

  @_transparent
  static func step(_ sum: Vector, _ w: Vector, _ x: Vector, _ g: Vector) -> Vector {
    sum.fused((w - x).minimum(Vector(repeating: 1)).maximum(Vector(repeating: -1)), g)
  }

  func runPair() {
    let lanes = Vector.scalarCount
    let x00 = Tail.load(inputs.0, columns), x01 = Tail.load(inputs.0 + lanes, columns &- lanes)
    let x10 = Tail.load(inputs.1, columns), x11 = Tail.load(inputs.1 + lanes, columns &- lanes)
    var s00 = Vector.zero, s01 = Vector.zero, s10 = Vector.zero, s11 = Vector.zero
    for slot in 0..<slots {
      let g0 = table.rows[slot &* tileRows &+ row],
        g1 = table.rows[slot &* tileRows &+ min(row &+ 1, tileRows &- 1)]
      var w = weights + table.runs[slot].first &* tileWidth
      for output in 0..<depth {
        let w0 = Vector(at: w), w1 = Vector(at: w + lanes)
        let first = Vector(repeating: g0[output]), second = Vector(repeating: g1[output])
        s00 = Self.step(s00, w0, x00, first)
        s01 = Self.step(s01, w1, x01, first)
        s10 = Self.step(s10, w0, x10, second)
        s11 = Self.step(s11, w1, x11, second)
        w += tileWidth
      }
    }
    // The second pixel first: in a tile of one pixel both are the same one, and the first is right.
    Tail.store(s10, outputs.1, columns)
    Tail.store(s11, outputs.1 + lanes, columns &- lanes)
    Tail.store(s00, outputs.0, columns)
    Tail.store(s01, outputs.0 + lanes, columns &- lanes)
  }

  func runSingle() {
    let x0 = Tail.load(inputs.0, columns), x1 = Tail.load(inputs.1, columns)
    var s0 = Vector.zero, s1 = Vector.zero
    for slot in 0..<slots {
      let g0 = table.rows[slot &* tileRows &+ row],
        g1 = table.rows[slot &* tileRows &+ min(row &+ 1, tileRows &- 1)]
      var w = weights + table.runs[slot].first &* Vector.scalarCount
      for output in 0..<depth {
        let weight = Vector(at: w)
        s0 = Self.step(s0, weight, x0, Vector(repeating: g0[output]))
        s1 = Self.step(s1, weight, x1, Vector(repeating: g1[output]))
        w += Vector.scalarCount
      }
    }
    Tail.store(s1, outputs.1, columns)
    Tail.store(s0, outputs.0, columns)
  }
}
