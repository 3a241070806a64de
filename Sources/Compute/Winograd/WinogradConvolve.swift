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

  /// Room for a tile, its half and its whole transform, from the pool: too much for the stack.
  private func withVectors(_ body: (UnsafeMutablePointer<Vector>) -> Void) {
    let count = 3 * products
    withScratch(count * Vector.scalarCount) {
      body(UnsafeMutableRawPointer($0).bindMemory(to: Vector.self, capacity: count))
    }
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
      withVectors { vectors in
        for index in range { transformOutput(tiles.lowerBound + index, m + index * outputRow, vectors) }
      }
    }
  }

  /// Bᵀ d B of some tiles, for all channels; the first writes to `v`.
  private func transformInputs(_ tiles: Range<Int>, _ v: UnsafeMutablePointer<Float>) {
    let points = Transform.points, channels = weights.channels, shape = tiling.input
    withScratch(points * points * channels) { patch in
      withVectors { vectors in
        for tile in tiles {
          let (image, outputRow, outputColumn) = tiling.position(tile)
          let row = outputRow &- tiling.top, column = outputColumn &- tiling.left
          let target = v + (tile &- tiles.lowerBound) &* channels
          let down = tiling.reach.height &* shape.width &* channels, right = tiling.reach.width &* channels
          let first = ((image &* shape.height &+ row) &* shape.width &+ column) &* channels
          let lastRow = row &+ (points &- 1) &* tiling.reach.height
          let lastColumn = column &+ (points &- 1) &* tiling.reach.width
          if row >= 0, column >= 0, lastRow < shape.height, lastColumn < shape.width {
            transformInput(x + first, down: down, right: right, target, vectors)
            continue
          }
          // At the border: a copy with zeros.
          for i in 0..<points {
            for j in 0..<points {
              let h = row &+ i &* tiling.reach.height, w = column &+ j &* tiling.reach.width
              let pixel = patch + (i &* points &+ j) &* channels
              let isInside = h >= 0 && h < shape.height && w >= 0 && w < shape.width
              let source = isInside ? x + (first &+ i &* down &+ j &* right) : nil
              for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
                let lanes = channels &- channel
                Tail.store(source.map { Tail.load($0 + channel, lanes) } ?? .zero, pixel + channel, lanes)
              }
            }
          }
          transformInput(UnsafePointer(patch), down: points &* channels, right: channels, target, vectors)
        }
      }
    }
  }

  /// Bᵀ d B of the patch at `d`, whose pixels lie `down` and `right` apart.
  @inline(__always)
  private func transformInput(
    _ d: UnsafePointer<Float>, down: Int, right: Int, _ v: UnsafeMutablePointer<Float>,
    _ patch: UnsafeMutablePointer<Vector>
  ) {
    let points = Transform.points, channels = weights.channels
    let half = patch + points &* points, t = half + points &* points
    var channel = 0
    while channel &+ Vector.scalarCount <= channels {
      for i in 0..<points {
        let line = d + (i &* down &+ channel)
        for j in 0..<points { patch[i &* points &+ j] = Vector(at: line + j &* right) }
      }
      for j in 0..<points { Transform.input(patch + j, half + j, step: points) }
      for i in 0..<points { Transform.input(half + i &* points, t + i &* points, step: 1) }
      for index in 0..<points &* points { t[index].store(v + index &* inputPlane + channel) }
      channel = channel &+ Vector.scalarCount
    }
    guard channel < channels else { return }
    let lanes = channels &- channel
    for i in 0..<points {
      let line = d + (i &* down &+ channel)
      for j in 0..<points { patch[i &* points &+ j] = Tail.load(line + j &* right, lanes) }
    }
    for j in 0..<points { Transform.input(patch + j, half + j, step: points) }
    for i in 0..<points { Transform.input(half + i &* points, t + i &* points, step: 1) }
    for index in 0..<points &* points { Tail.store(t[index], v + index &* inputPlane + channel, lanes) }
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
  private func transformOutput(_ tile: Int, _ m: UnsafePointer<Float>, _ s: UnsafeMutablePointer<Vector>) {
    let points = Transform.points, size = Transform.outputs, shape = tiling.output
    let (image, row, column) = tiling.position(tile)
    let height = min(size, (shape.height &- row &+ tiling.reach.height &- 1) / tiling.reach.height)
    let width = min(size, (shape.width &- column &+ tiling.reach.width &- 1) / tiling.reach.width)
    let half = s + points &* points, t = half + points &* points
    for output in stride(from: 0, to: weights.outputs, by: Vector.scalarCount) {
      let lanes = weights.outputs &- output
      let bias = finish.bias.map { Tail.load($0 + output, lanes) } ?? .zero
      for index in 0..<points &* points { s[index] = Vector(at: m + index &* outputPlane + output) }
      for j in 0..<points { Transform.output(s + j, half + j, step: points) }
      for i in 0..<size { Transform.output(half + i &* points, t + i &* size, step: 1) }
      for i in 0..<height {
        for j in 0..<width {
          let h = row &+ i &* tiling.reach.height, w = column &+ j &* tiling.reach.width
          finish.store(
            t[i &* size &+ j] + bias,
            y + ((image &* shape.height &+ h) &* shape.width &+ w) &* shape.channels + output, lanes)
        }
      }
    }
  }
}
