import Tensors

/// y = epilogue(x ∗ w) by Winograd's minimal filtering: transform tiles of x, multiply matrices for each product,
/// transform back.
package func winogradConvolve(
  _ tiling: WinogradTiling, _ weights: WinogradWeights, x: UnsafePointer<Float>,
  y: UnsafeMutablePointer<Float>,
  epilogue: EpiloguePointers, threads: Int
) {
  switch weights.size {
  case .two: Run<WinogradTwo>(tiling, weights.packed, x, y, epilogue).run(threads)
  case .four: Run<WinogradFour>(tiling, weights.packed, x, y, epilogue).run(threads)
  }
}

private struct Run<Transform: WinogradTransform> {
  let tiling: WinogradTiling
  let weights: PackedWeights
  let x: UnsafePointer<Float>
  let y: UnsafeMutablePointer<Float>
  let epilogue: EpiloguePointers
  let panels: Panels
  /// The tiles that pass through together.
  let chunk: Int
  /// Floats from one product's matrix to the next, of the tiles and of the sums: a line more than they need, or
  /// all would fall into the same set of the cache.
  let inputPlane: Int, outputPlane: Int
  /// Floats of a row of sums: whole panels.
  let outputRow: Int
  var products: Int { Transform.points &* Transform.points }

  init(
    _ tiling: WinogradTiling, _ weights: PackedWeights, _ x: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>, _ epilogue: EpiloguePointers
  ) {
    self.tiling = tiling
    self.weights = weights
    self.x = x
    self.y = y
    self.epilogue = epilogue
    panels = Panels(outputs: weights.outputs)
    outputRow = panels.floats(depth: 1)
    // Both matrices stay within about half of the second-level cache, but the weights are read once a chunk.
    let fitting = (32 << 10) / (Transform.points * Transform.points * (weights.channels + outputRow))
    let least = weights.channels * weights.outputs > 128 * 128 ? 2 * tileRows : tileRows
    chunk = min(
      max(least, fitting / tileRows * tileRows), (tiling.count + tileRows - 1) / tileRows * tileRows)
    inputPlane = chunk * weights.channels + 16
    outputPlane = chunk * outputRow + 16
  }

  func run(_ threads: Int) {
    let count = tiling.count, chunks = (count + chunk - 1) / chunk
    if chunks >= 2 * threads {
      parallel(chunks, threads: threads) { range in
        withMatrices { v, m in
          for index in range { pass(index * chunk..<min((index + 1) * chunk, count), v, m, threads: 1) }
        }
      }
    } else {
      withMatrices { v, m in
        for index in 0..<chunks {
          pass(index * chunk..<min((index + 1) * chunk, count), v, m, threads: threads)
        }
      }
    }
  }

  private func withMatrices(_ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>) -> Void) {
    withScratch(products * (inputPlane + outputPlane)) { body($0, $0 + products * inputPlane) }
  }

  private func pass(
    _ tiles: Range<Int>, _ v: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, threads: Int
  ) {
    parallel(tiles.count, threads: threads) { range in
      WinogradPatches<Transform>(tiling, channels: weights.channels, plane: inputPlane).transform(
        tiles.lowerBound + range.lowerBound..<tiles.lowerBound + range.upperBound, x,
        v + range.lowerBound * weights.channels)
    }
    parallel(products, threads: threads) { multiply($0, tiles.count, v, m) }
    parallel(tiles.count, threads: threads) { range in
      WinogradSquare<Transform>.with { half in
        for index in range { transformOutput(tiles.lowerBound + index, m + index * outputRow, half) }
      }
    }
  }

  /// For each product, rows of channels times channels × outputs.
  private func multiply(
    _ range: Range<Int>, _ count: Int, _ v: UnsafePointer<Float>, _ m: UnsafeMutablePointer<Float>
  ) {
    let channels = weights.channels, matrix = panels.floats(depth: channels)
    let cut = RowTiles(rows: count), tiles = cut.count
    let aheadStep = (tileWidth + tiles - 1) / tiles
    withScratch(tileWidth) { zeros in
      zeros.update(repeating: 0, count: tileWidth)
      RowTable.withTables(tiles: tiles, slots: 1, channels: channels) { tables in
        let ranges = (0..<tiles).map(cut.range)
        for table in tables { table.setTap(slot: 0, 0) }
        weights.withPointer { packed in
          for product in range {
            for tile in 0..<tiles {
              let pointers = tables[tile].slot(0), outputs = tables[tile].outputs
              let first = v + (product &* inputPlane &+ ranges[tile].lowerBound &* channels)
              let sums = m + (product &* outputPlane &+ ranges[tile].lowerBound &* outputRow)
              for row in 0..<ranges[tile].count {
                pointers[row] = first + row &* channels
                outputs[row] = sums + row &* outputRow
              }
              for row in ranges[tile].count..<tileRows { pointers[row] = first }
            }
            for panel in 0..<panels.count {
              let weights = packed + (product * matrix + panel * tileWidth * channels)
              var arguments = TileArguments(
                rows: tables[0].rows, runs: tables[0].runs, slots: 1, weights: weights,
                ahead: weights + tileWidth * channels, aheadStep: aheadStep, bias: zeros,
                outputs: tables[0].outputs, column: panel * tileWidth, columns: tileWidth, count: 0, one: 1,
                epilogue: EpiloguePointers())
              for tile in 0..<tiles {
                arguments.rows = UnsafePointer(tables[tile].rows)
                arguments.outputs = UnsafePointer(tables[tile].outputs)
                arguments.count = ranges[tile].count
                TileStep.product.run(arguments, single: panels.width(panel) < tileWidth)
                arguments.ahead += aheadStep * channels
              }
            }
          }
        }
      }
    }
  }

  /// Aᵀ m A of one tile, finished and stored.
  private func transformOutput(
    _ tile: Int, _ m: UnsafeMutablePointer<Float>, _ half: UnsafeMutablePointer<Float>
  ) {
    let points = Transform.points, size = Transform.outputs, shape = tiling.output
    let (image, row, left) = tiling.position(tile)
    let height = min(size, (shape.height &- row &+ tiling.reach.height &- 1) / tiling.reach.height)
    let width = min(size, (shape.width &- left &+ tiling.reach.width &- 1) / tiling.reach.width)
    let right = tiling.reach.width &* shape.channels
    let sums = EvenVectors(first: half + products &* Vector.scalarCount, step: Vector.scalarCount)
    for output in stride(from: 0, to: weights.outputs, by: Vector.scalarCount) {
      let lanes = weights.outputs &- output
      let bias = epilogue.bias.map { Tail.load($0 + output, lanes) } ?? .zero
      for j in 0..<points {
        Transform.output(
          EvenVectors(first: m + (j &* outputPlane &+ output), step: points &* outputPlane),
          WinogradSquare<Transform>(half).column(j))
      }
      for i in 0..<height {
        let h = row &+ i &* tiling.reach.height
        Transform.output(WinogradSquare<Transform>(half).line(i), sums)
        let target = y + (((image &* shape.height &+ h) &* shape.width &+ left) &* shape.channels &+ output)
        for j in 0..<width { epilogue.store(sums(j) + bias, target + j &* right, lanes) }
      }
    }
  }
}
