import Tensors

/// The central loop: for each row, `outputs = bias + Σ over slots, channels of step(x, w)`.
///
/// There is no im2col matrix: `fill` gives pointers to what each row reads (Dukhan, 2019, "The indirect convolution
/// algorithm", arXiv:1907.02129).
///
/// - Parameters:
///   - rows: the number of output pixels.
///   - weights: packed weights; group g reads channels g · channels and writes outputs g · outputs onwards.
///   - epilogue: what is done to the sums before they are stored.
///   - step: what is accumulated of x and w.
///   - narrow: for products of groups narrower than a vector: the weights' groups are then whole vectors of outputs.
///   - slots: the largest number of slots of a tile; by default one for each tap.
///   - channelStep: the step between a slot's channels in memory.
///   - scratchPerRow: floats of scratch memory that `fill` needs for each row.
///   - threads: how many threads share the rows or the panels; the result does not depend on it.
///   - fill: fills the table of a tile of rows (at most `RowTable.capacity`) and returns its number of slots.
public func indirectGEMM(
  rows: Int, weights: PackedWeights, epilogue: EpiloguePointers = EpiloguePointers(),
  step: TileStep = .product, narrow: NarrowGroups? = nil,
  slots: Int? = nil, channelStep: Int = 1, scratchPerRow: Int = 0, threads: Int,
  fill: (Range<Int>, RowTable) -> Int
) {
  let tiles = RowTiles(rows: rows).count
  let panels = Panels(outputs: weights.outputs)
  // Few tiles: share the panels instead, so that two threads help on a 7×7 image too.
  let byPanel = scratchPerRow == 0 && tiles < 8 * threads && panels.count >= threads
  weights.withPointer { packed in
    let loop = IndirectLoop(
      rows: rows, weights: weights, packed: packed, epilogue: epilogue, step: step, narrow: narrow,
      slotCapacity: slots ?? weights.taps, channelStep: channelStep, scratchPerRow: scratchPerRow)
    if byPanel {
      parallel(panels.count, threads: threads) { loop.run(tiles: 0..<tiles, panels: $0, fill: fill) }
    } else {
      // Ranges of whole blocks: each block reads all weights.
      parallel(tiles, threads: threads, least: largestBlock) {
        loop.run(tiles: $0, panels: 0..<panels.count, fill: fill)
      }
    }
  }
}

/// The most tiles that pass over a panel together.
private let largestBlock = 8

/// What the threads' shares of an indirect GEMM have in common.
private struct IndirectLoop {
  let rows: Int
  let weights: PackedWeights
  let packed: UnsafePointer<Float>
  let epilogue: EpiloguePointers
  let step: TileStep
  let narrow: NarrowGroups?
  let slotCapacity: Int
  let channelStep: Int
  let scratchPerRow: Int

  /// One thread's share. Blocks of tiles pass over each panel together, so that a panel is fetched once a block.
  func run(tiles: Range<Int>, panels panelRange: Range<Int>, fill: (Range<Int>, RowTable) -> Int) {
    // Tables and scratch rows of a block stay within the second-level cache.
    let scratchPerTile = scratchPerRow * tileRows
    let block = max(
      1, min(largestBlock, 256 / max(slotCapacity, 1), 32_768 / max(scratchPerTile, 1), tiles.count))
    let panels = Panels(outputs: weights.outputs)
    let depth = weights.taps * weights.channels
    // A residual is seldom in the core's own cache, and outputs of more than a MiB are not.
    let fetchesTargets = epilogue.hasResidual || rows * weights.groups * weights.outputs >= 1 << 18
    withUnsafeTemporaryAllocation(byteCount: tileWidth * 4, alignment: 64) { memory in
      guard let bias = memory.bindMemory(to: Float.self).baseAddress else { return }
      RowTable.withTables(
        tiles: block, slots: slotCapacity, channels: weights.channels, scratchPerTile: scratchPerTile
      ) { tables in
        var slots = Array(repeating: 0, count: block)
        for first in stride(from: tiles.lowerBound, to: tiles.upperBound, by: block) {
          let blockTiles = first..<min(first + block, tiles.upperBound)
          let aheadStep = (tileWidth + blockTiles.count - 1) / blockTiles.count
          for tile in blockTiles {
            let range = RowTiles(rows: rows).range(tile)
            slots[tile - first] = fill(range, tables[tile - first])
            tables[tile - first].repeatFirst(from: range.count, slots: slots[tile - first])
          }
          for group in 0..<weights.groups {
            let groupWeights = packed + group * panels.floats(depth: depth)
            for panel in panelRange {
              let output = group * weights.outputs + panel * tileWidth
              let columns = min(tileWidth, weights.outputs - panel * tileWidth)
              bias.update(repeating: 0, count: tileWidth)
              if let values = epilogue.bias { bias.update(from: values + output, count: columns) }
              for tile in blockTiles {
                let table = tables[tile - first]
                if group > 0 && panel == panelRange.lowerBound {
                  table.advance(
                    by: narrow == nil ? weights.channels : weights.outputs, slots: slots[tile - first])
                }
                let arguments = TileArguments(
                  rows: table.rows, runs: table.runs, channelStep: channelStep, slots: slots[tile - first],
                  weights: groupWeights + panel * tileWidth * depth,
                  ahead: groupWeights + (panel + 1) * tileWidth * depth + (tile - first) * aheadStep
                    * depth,
                  aheadStep: aheadStep, bias: bias, outputs: table.outputs, column: output,
                  columns: columns, count: RowTiles(rows: rows).range(tile).count, one: Float(min(rows, 1)),
                  fetchesTargets: fetchesTargets, epilogue: epilogue)
                if let narrow {
                  narrow.run(arguments)
                } else {
                  step.run(arguments, single: panels.width(panel) < tileWidth)
                }
              }
            }
          }
        }
      }
    }
  }
}

extension RowTable {
  /// Lets the missing pixels of a short tile read what its first pixel reads.
  func repeatFirst(from count: Int, slots: Int) {
    guard count < tileRows else { return }
    for slot in 0..<slots {
      let pointers = self.slot(slot)
      for row in count..<tileRows { pointers[row] = pointers[0] }
    }
  }

  /// Moves all pointers on to the channels of the next group.
  func advance(by channels: Int, slots: Int) {
    for slot in 0..<slots {
      let pointers = self.slot(slot)
      for row in 0..<tileRows { pointers[row] += channels }
    }
  }
}
