import Tensors

/// The images and tiles of a 3×3 convolution of stride 1.
///
/// With taps `dilation` apart it is `dilation`² convolutions of every dilation-th row and column, each cut into
/// tiles of its own.
public struct WinogradTiling {
  let input: FeatureShape, output: FeatureShape
  let top: Int, left: Int
  let dilation: (height: Int, width: Int)
  private let rows: Int, columns: Int
  private let size: Int

  /// A tiling.
  ///
  /// - Parameters:
  ///   - top: rows of padding above; may be negative.
  ///   - left: columns of padding on the left; may be negative.
  public init(
    _ size: WinogradSize, input: FeatureShape, output: FeatureShape, top: Int, left: Int,
    dilation: (height: Int, width: Int)
  ) {
    self.size = size.rawValue
    self.input = input
    self.output = output
    self.top = top
    self.left = left
    self.dilation = (min(dilation.height, output.height), min(dilation.width, output.width))
    reach = dilation
    let step = size.rawValue
    rows = ((output.height + self.dilation.height - 1) / self.dilation.height + step - 1) / step
    columns = ((output.width + self.dilation.width - 1) / self.dilation.width + step - 1) / step
  }

  /// The distance of taps; `dilation` is the number of phases, fewer on images smaller than it.
  let reach: (height: Int, width: Int)

  /// All tiles of all images.
  public var count: Int { input.batch * dilation.height * dilation.width * rows * columns }

  /// The image, and the output pixel in the corner, of a tile.
  @inline(__always)
  func position(_ tile: Int) -> (image: Int, row: Int, column: Int) {
    let (line, x) = tile.quotientAndRemainder(dividingBy: columns)
    let (phases, y) = line.quotientAndRemainder(dividingBy: rows)
    let (down, right) = phases.quotientAndRemainder(dividingBy: dilation.width)
    let (image, phase) = down.quotientAndRemainder(dividingBy: dilation.height)
    return (image, phase &+ y &* size &* reach.height, right &+ x &* size &* reach.width)
  }
}

/// y = finish(x ∗ w) by Winograd's minimal filtering: transform tiles of x, multiply matrices for each product,
/// transform back.
public func winogradConvolve(
  _ tiling: WinogradTiling, _ weights: WinogradWeights, x: UnsafePointer<Float>,
  y: UnsafeMutablePointer<Float>,
  finish: StoreOptions, threads: Int
) {
  switch weights.size {
  case .two: Run<WinogradTwo>(tiling, weights.packed, x, y, finish).run(threads)
  case .four: Run<WinogradFour>(tiling, weights.packed, x, y, finish).run(threads)
  }
}

private struct Run<Transform: WinogradTransform> {
  let tiling: WinogradTiling
  let weights: PackedWeights
  let x: UnsafePointer<Float>
  let y: UnsafeMutablePointer<Float>
  let finish: StoreOptions
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
    _ y: UnsafeMutablePointer<Float>, _ finish: StoreOptions
  ) {
    self.tiling = tiling
    self.weights = weights
    self.x = x
    self.y = y
    self.finish = finish
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

  /// Room for a tile of which one direction is transformed and a row of results, from the pool: too much for the
  /// stack.
  private func withHalf(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    withScratch((products + Transform.points) * Vector.scalarCount, body)
  }

  private func pass(
    _ tiles: Range<Int>, _ v: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, threads: Int
  ) {
    parallel(tiles.count, threads: threads) { range in
      transformInputs(
        tiles.lowerBound + range.lowerBound..<tiles.lowerBound + range.upperBound,
        v + range.lowerBound * weights.channels)
    }
    parallel(products, threads: threads) { multiply($0, tiles.count, v, m) }
    parallel(tiles.count, threads: threads) { range in
      withHalf { half in
        for index in range { transformOutput(tiles.lowerBound + index, m + index * outputRow, half) }
      }
    }
  }

  /// Bᵀ d B of some tiles, for all channels; the first writes to `v`.
  private func transformInputs(_ tiles: Range<Int>, _ v: UnsafeMutablePointer<Float>) {
    let points = Transform.points, channels = weights.channels, shape = tiling.input
    let whole = channels / Vector.scalarCount * Vector.scalarCount
    withScratch(channels) { zeros in
      zeros.update(repeating: 0, count: channels)
      withHalf { half in
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: products) { pixels in
          let pixels = pixels.baseAddress.unsafelyUnwrapped
          for tile in tiles {
            let (image, outputRow, outputColumn) = tiling.position(tile)
            let top = outputRow &- tiling.top, left = outputColumn &- tiling.left
            for i in 0..<points {
              let h = top &+ i &* tiling.reach.height
              let isInside = h >= 0 && h < shape.height
              let line = x + (image &* shape.height &+ h) &* shape.width &* channels
              for j in 0..<points {
                let w = left &+ j &* tiling.reach.width
                pixels[i &* points &+ j] =
                  isInside && w >= 0 && w < shape.width ? line + w &* channels : UnsafePointer(zeros)
              }
            }
            let target = v + (tile &- tiles.lowerBound) &* channels
            for channel in stride(from: 0, to: whole, by: Vector.scalarCount) {
              for j in 0..<points {
                Transform.input(PixelVectors(pixels: pixels + j, step: points, channel: channel), column(half, j))
              }
              for i in 0..<points {
                Transform.input(
                  line(half, i),
                  EvenVectors(first: target + (i &* points &* inputPlane &+ channel), step: inputPlane))
              }
            }
            guard whole < channels else { continue }
            let lanes = channels &- whole
            for j in 0..<points {
              Transform.input(
                PixelTails(pixels: pixels + j, step: points, channel: whole, lanes: lanes), column(half, j))
            }
            for i in 0..<points {
              Transform.input(
                line(half, i),
                EvenTails(
                  first: target + (i &* points &* inputPlane &+ whole), step: inputPlane, lanes: lanes))
            }
          }
        }
      }
    }
  }

  /// A line, and a column, of a square of vectors.
  @inline(__always)
  private func line(_ square: UnsafeMutablePointer<Float>, _ i: Int) -> EvenVectors {
    EvenVectors(
      first: square + i &* Transform.points &* Vector.scalarCount, step: Vector.scalarCount)
  }

  @inline(__always)
  private func column(_ square: UnsafeMutablePointer<Float>, _ j: Int) -> EvenVectors {
    EvenVectors(
      first: square + j &* Vector.scalarCount, step: Transform.points &* Vector.scalarCount)
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
              for tile in 0..<tiles {
                runTile(
                  TileArguments(
                    rows: tables[tile].rows, runs: tables[tile].runs, slots: 1,
                    weights: packed + product * matrix + panel * tileWidth * channels,
                    ahead: packed + product * matrix + (panel + 1) * tileWidth * channels
                      + tile * aheadStep * channels,
                    aheadStep: aheadStep, start: zeros,
                    outputs: tables[tile].outputs, column: panel * tileWidth, columns: tileWidth,
                    count: ranges[tile].count, unit: 1, finish: StoreOptions()),
                  single: panels.width(panel) < tileWidth, .product)
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
      let bias = finish.bias.map { Tail.load($0 + output, lanes) } ?? .zero
      for j in 0..<points {
        Transform.output(
          EvenVectors(first: m + (j &* outputPlane &+ output), step: points &* outputPlane), column(half, j))
      }
      for i in 0..<height {
        let h = row &+ i &* tiling.reach.height
        Transform.output(line(half, i), sums)
        let target = y + (((image &* shape.height &+ h) &* shape.width &+ left) &* shape.channels &+ output)
        for j in 0..<width { finish.store(sums(j) + bias, target + j &* right, lanes) }
      }
    }
  }
}
