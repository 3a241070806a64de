import Tensors

/// Negative L1 distances by maxima: `outputs = bias − Σ |x − w|` with `Σ |x − w| = 2·Σ max(x, w) − Σ x − Σ w`.
///
/// Two instructions per term instead of three, at the cost of cancellation: the error is relative to Σ |x| + Σ |w|,
/// not to the distance. If a distance of a tile is below a sixteenth of that sum, the tile is computed again by the
/// definition, so no output loses more than four bits.
///
/// - Parameters: as of `indirectGEMM`.
package func indirectDistances(
  rows: Int, weights: PackedWeights, epilogue: EpiloguePointers, threads: Int,
  fill: (Range<Int>, RowTable) -> Int
) {
  let sums = WeightSums(weights), cut = RowTiles(rows: rows)
  weights.withPointer { packed in
    parallel(cut.count, threads: threads) { tiles in
      // As in the indirect GEMM, some tiles pass over each panel together.
      let block = max(1, min(8, 256 / max(weights.taps, 1), tiles.count))
      RowTable.withTables(tiles: block, slots: weights.taps, channels: weights.channels) { tables in
        for first in stride(from: tiles.lowerBound, to: tiles.upperBound, by: block) {
          DistanceBlock(
            tiles: (first..<min(first + block, tiles.upperBound)).enumerated().map { index, tile in
              let range = cut.range(tile)
              let slots = fill(range, tables[index])
              tables[index].repeatFirst(from: range.count, slots: slots)
              return DistanceTile(table: tables[index], count: range.count, slots: slots)
            },
            weights: weights, packed: packed, sums: sums, epilogue: epilogue
          ).run()
        }
      }
    }
  }
}

/// Σ w and Σ |w| of each output, lane by lane of the panels.
private struct WeightSums {
  /// `[group][panel lane]`, padding included.
  let signed: [Float], absolute: [Float]
  let row: Int

  init(_ weights: PackedWeights) {
    let panels = Panels(outputs: weights.outputs), depth = weights.taps * weights.channels
    let row = panels.floats(depth: 1)
    var sums = Array(repeating: Float(0), count: weights.groups * row), magnitudes = sums
    weights.withPointer { packed in
      for group in 0..<weights.groups {
        for panel in 0..<panels.count {
          let width = panels.width(panel)
          let first = packed + group * panels.floats(depth: depth) + panel * tileWidth * depth
          for lane in stride(from: 0, to: width, by: Vector.scalarCount) {
            var sum = Vector.zero, magnitude = Vector.zero
            for index in 0..<depth {
              let w = Vector(at: first + index * width + lane)
              sum += w
              magnitude += w.magnitude
            }
            for index in 0..<Vector.scalarCount {
              sums[group * row + panel * tileWidth + lane + index] = sum[index]
              magnitudes[group * row + panel * tileWidth + lane + index] = magnitude[index]
            }
          }
        }
      }
    }
    (signed, absolute, self.row) = (sums, magnitudes, row)
  }
}

/// The pixels of a tile.
private struct DistanceTile {
  let table: RowTable
  let count: Int
  let slots: Int

  /// Σ x and Σ |x| of what a pixel reads.
  func inputSums(_ row: Int, _ channels: Int) -> SIMD2<Float> {
    var sum = Vector.zero, magnitude = Vector.zero
    for slot in 0..<slots {
      let x = table.rows[slot &* largestTileRows &+ row]
      for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
        let v = Tail.load(x + channel, channels &- channel)
        sum += v
        magnitude += v.magnitude
      }
    }
    return SIMD2(sum.sum(), magnitude.sum())
  }
}

/// Some tiles, all groups and panels.
private struct DistanceBlock {
  let tiles: [DistanceTile]
  let weights: PackedWeights
  let packed: UnsafePointer<Float>
  let sums: WeightSums
  let epilogue: EpiloguePointers

  func run() {
    withScratch((tileRows + 1) * tileWidth) { maxima in
      withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>.self, capacity: tileRows) { rows in
        guard let rows = rows.baseAddress else { return }
        for row in 0..<tileRows { rows[row] = maxima + row * tileWidth }
        var inputs = Array(repeating: SIMD2<Float>.zero, count: tiles.count * tileRows)
        for group in 0..<weights.groups {
          for (index, tile) in tiles.enumerated() {
            if group > 0 { tile.table.advance(by: weights.channels, slots: tile.slots) }
            for row in 0..<tile.count {
              inputs[index * tileRows + row] = tile.inputSums(row, weights.channels)
            }
          }
          inputs.withUnsafeBufferPointer { run(group, $0, maxima, rows) }
        }
      }
    }
  }

  private func run(
    _ group: Int, _ inputs: UnsafeBufferPointer<SIMD2<Float>>, _ maxima: UnsafeMutablePointer<Float>,
    _ rows: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  ) {
    let panels = Panels(outputs: weights.outputs), depth = weights.taps * weights.channels
    let start = maxima + tileRows * tileWidth
    let aheadStep = (tileWidth + tiles.count - 1) / tiles.count
    for panel in 0..<panels.count {
      let first = group * sums.row + panel * tileWidth, width = panels.width(panel)
      let panelWeights = packed + group * panels.floats(depth: depth) + panel * tileWidth * depth
      let output = group * weights.outputs + panel * tileWidth
      let columns = min(width, weights.outputs - panel * tileWidth)
      for (index, tile) in tiles.enumerated() {
        for lane in 0..<width { start[lane] = -0.5 * sums.signed[first + lane] }
        var arguments = TileArguments(
          rows: tile.table.rows, runs: tile.table.runs, slots: tile.slots, weights: panelWeights,
          ahead: panelWeights + width * depth + index * aheadStep * depth, aheadStep: aheadStep, bias: start,
          outputs: rows, column: 0, columns: width, count: tile.count, one: Float(min(tile.count, 1)),
          epilogue: EpiloguePointers())
        TileStep.maximum.run(arguments, single: width < tileWidth)
        let x = UnsafeBufferPointer(rebasing: inputs[index * tileRows..<(index + 1) * tileRows])
        if store(tile, x, maxima, first, output, columns) { continue }
        for lane in 0..<width {
          start[lane] = lane < columns ? epilogue.bias.map { $0[output + lane] } ?? 0 : 0
        }
        arguments.outputs = UnsafePointer(tile.table.outputs)
        arguments.column = output
        arguments.columns = columns
        arguments.epilogue = epilogue
        TileStep.distance.run(arguments, single: width < tileWidth)
      }
    }
  }

  /// Stores Σ x + Σ w − 2 · maxima, unless a distance is too small.
  private func store(
    _ tile: DistanceTile, _ x: UnsafeBufferPointer<SIMD2<Float>>, _ maxima: UnsafePointer<Float>,
    _ first: Int,
    _ output: Int, _ columns: Int
  ) -> Bool {
    var small = VectorMask(repeating: false)
    for lane in stride(from: 0, to: columns, by: Vector.scalarCount) {
      let w = sums.absolute.withUnsafeBufferPointer {
        Vector(at: $0.baseAddress.unsafelyUnwrapped + first + lane)
      }
      // Ignore the padding lanes.
      let counts = Vector.lanes .< Vector(repeating: Float(columns &- lane))
      for row in 0..<tile.count {
        let least = (w + Vector(repeating: x[row].y)) * 0.0625
        // Written so that NaN is too small as well.
        small .|= .!(distance(maxima, row, lane, x[row].x) .>= least) .& counts
      }
    }
    if any(small) { return false }
    for lane in stride(from: 0, to: columns, by: Vector.scalarCount) {
      let lanes = columns &- lane
      let bias = epilogue.bias.map { Tail.load($0 + output + lane, lanes) } ?? .zero
      for row in 0..<tile.count {
        epilogue.store(
          bias - distance(maxima, row, lane, x[row].x), tile.table.outputs[row] + output + lane, lanes)
      }
    }
    return true
  }

  @inline(__always)
  private func distance(_ maxima: UnsafePointer<Float>, _ row: Int, _ lane: Int, _ x: Float) -> Vector {
    (Vector(at: maxima + (row &* tileWidth &+ lane)) - Vector(repeating: 0.5 * x)) * 2
  }
}

extension Vector {
  /// 0, 1, 2, …
  fileprivate static var lanes: Vector {
    var lanes = Vector.zero
    for lane in 0..<Vector.scalarCount { lanes[lane] = Float(lane) }
    return lanes
  }
}

private typealias VectorMask = SIMDMask<Vector.MaskStorage>
