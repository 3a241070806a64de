import Tensors

/// AdderNet's gradient to the input: `dx[row, c] = Σ over slots, outputs of clamp(w − x, −limit, limit) · g`.
///
/// (Chen et al., 2020, arXiv:1912.13200, equation 11.)
///
/// - Parameters:
///   - rows: the number of input pixels.
///   - weights: packed for the backward pass: `channels` are the forward pass's outputs.
///   - input: x, laid out as dx: a row's x lies as far after `input` as its dx after `gradient`.
///   - gradient: dx; the table's output rows point into it.
///   - limit: the limit to which differences are clamped; infinity for none.
///   - fill: fills the table of a tile with pointers to g, for each row and each tap that has one.
public func indirectClampedGradient(
  rows: Int, weights: PackedWeights, input: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>,
  limit: Float = 1, threads: Int, fill: (Range<Int>, RowTable) -> Int
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
              let column = group * weights.outputs + panel * tileWidth
              let columns = min(tileWidth, weights.outputs - panel * tileWidth)
              for row in stride(from: 0, to: range.count, by: 2) {
                ClampedTileArguments(
                  rows: table.rows + row, runs: table.runs, slots: slots, depth: weights.channels,
                  weights: panelWeights, outputs: table.outputs + row, column: column,
                  input: input - UnsafePointer(gradient), columns: columns, limit: limit,
                  count: min(2, range.count - row)
                ).run(single: panels.width(panel) < tileWidth)
              }
            }
          }
        }
      }
    }
  }
}
