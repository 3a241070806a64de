import Tensors

/// A dense convolution with windows three pixels wide that move by one pixel, and few outputs.
///
/// Where the outputs fill one vector only, the indirect GEMM reads a value from memory for each product. Here a tile
/// is a run of neighbouring pixels: each value that is read meets all taps of its row that reach it.
public struct SlidingConvolution {
  let input, output: FeatureShape
  let kernelHeight, rowDilation, top, left: Int
  let isTurned: Bool

  /// Nil where a convolution is not of this kind.
  ///
  /// - Parameters:
  ///   - top: the rows of padding above.
  ///   - left: the columns of padding on the left.
  ///   - isTurned: whether the window is turned by 180°, as for the gradient to the input.
  public init?(
    input: FeatureShape, output: FeatureShape, kernelHeight: Int, rowDilation: Int, top: Int, left: Int,
    isTurned: Bool
  ) {
    // One pixel at most lies outside on either side, and a row has a tile.
    let right = output.width + 2 - input.width - left
    guard (0...1).contains(left), (0...1).contains(right), output.width >= 8,
      output.channels <= 2 * Vector.scalarCount
    else { return nil }
    self.input = input
    self.output = output
    self.kernelHeight = kernelHeight
    self.rowDilation = rowDilation
    self.top = top
    self.left = left
    self.isTurned = isTurned
  }

  /// y = convolution of x.
  ///
  /// - Parameters:
  ///   - weights: of one group and `3 · kernelHeight` taps.
  ///   - finish: what is done to the sums before they are stored.
  ///   - threads: how many threads share the rows of y; the result does not depend on it.
  public func callAsFunction(
    _ x: UnsafePointer<Float>, _ weights: PackedWeights, y: UnsafeMutablePointer<Float>, finish: StoreOptions,
    threads: Int
  ) {
    let zeros = Tensor(repeating: 0, [input.channels])
    let panels = Panels(outputs: output.channels), depth = 3 * kernelHeight * input.channels
    weights.withPointer { weights in
      zeros.withPointer { zeros in
        parallel(output.batch * output.height, threads: threads) { rows in
          withUnsafeTemporaryAllocation(of: SlidingRow.self, capacity: kernelHeight) { table in
            guard let table = table.baseAddress else { return }
            for row in rows {
              for first in stride(from: 0, to: output.channels, by: Vector.scalarCount) {
                let panel = first / tileWidth, width = panels.width(panel)
                compute(
                  row, first, x, weights + panel * tileWidth * depth + first % tileWidth, width, zeros, y,
                  finish,
                  table)
              }
            }
          }
        }
      }
    }
  }

  /// One row of y, and the vector of outputs that begins at `firstOutput`.
  private func compute(
    _ outputRow: Int, _ firstOutput: Int, _ x: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
    _ weightStep: Int, _ zeros: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ finish: StoreOptions,
    _ table: UnsafeMutablePointer<SlidingRow>
  ) {
    let channels = input.channels, tap = channels * weightStep, outputs = output.channels - firstOutput
    let (image, row) = outputRow.quotientAndRemainder(dividingBy: output.height)
    let start = finish.bias.map { Tail.load($0 + firstOutput, outputs) } ?? .zero
    var column = 0
    while column < output.width {
      // The last tile is moved back to end with the row: what it shares with the one before is stored once.
      let isLong = slidingTile > 8 && output.width >= slidingTile && output.width - column > 8
      let pixels = isLong ? slidingTile : 8
      let first = min(column, output.width - pixels), last = first - left + pixels + 1
      var count = 0
      for tapRow in 0..<kernelHeight {
        let inputRow = row - top + tapRow * rowDilation
        guard inputRow >= 0, inputRow < input.height else { continue }
        let pixel = x + (image * input.height + inputRow) * input.width * channels
        let place = isTurned ? kernelHeight - 1 - tapRow : tapRow
        table[count] = SlidingRow(
          first: first < left ? zeros : pixel + (first - left) * channels,
          inner: pixel + (first - left + 1) * channels,
          last: last < input.width ? pixel + last * channels : zeros,
          weights: weights + (3 * place + (isTurned ? 2 : 0)) * tap)
        count += 1
      }
      let tile = SlidingTile(
        rows: table, count: count, channels: channels, weightStep: weightStep,
        tapStep: isTurned ? -tap : tap, start: start,
        output: y + (outputRow * output.width + first) * output.channels + firstOutput,
        pixel: output.channels,
        outputs: outputs,
        skipped: column - first, finish: finish)
      if isLong { slide16(tile) } else { slide8(tile) }
      column = first + pixels
    }
  }
}

/// The pixels of a long tile: as many as leave room in the registers for three taps.
#if WORKBENCH_AVX512
  private let slidingTile = 16
#else
  private let slidingTile = 8
#endif

/// Where a tile reads in one row of the input: the pixel before it, those under it, and the one behind it.
private struct SlidingRow {
  var first, inner, last: UnsafePointer<Float>
  /// The weights of the tap that `first` meets.
  var weights: UnsafePointer<Float>
}

/// What a sliding microkernel reads and writes.
private struct SlidingTile {
  var rows: UnsafePointer<SlidingRow>
  var count: Int
  var channels: Int
  /// The distance of the weights of neighbouring channels.
  var weightStep: Int
  /// That of neighbouring taps.
  var tapStep: Int
  var start: Vector
  var output: UnsafeMutablePointer<Float>
  /// The distance of neighbouring pixels' outputs.
  var pixel: Int
  var outputs: Int
  /// The first pixels that another tile has stored.
  var skipped: Int
  var finish: StoreOptions

  @inline(__always)
  func store(_ sum: Vector, _ pixel: Int) {
    if pixel >= skipped { finish.store(sum, output + pixel &* self.pixel, outputs) }
  }
}

/// 8 neighbouring pixels.
@inline(__always)
private func slide8(_ tile: SlidingTile) {
  var s0 = tile.start
  var s1 = tile.start
  var s2 = tile.start
  var s3 = tile.start
  var s4 = tile.start
  var s5 = tile.start
  var s6 = tile.start
  var s7 = tile.start
  let pixel = tile.channels, step = tile.tapStep
  for row in 0..<tile.count {
    let row = tile.rows[row]
    var w = row.weights
    for c in 0..<tile.channels {
      let taps = WindowRow(w, step)
      w += tile.weightStep
      taps.enter(row.first[c], &s0)
      let x = row.inner + c
      taps.enter(x[0], &s0, &s1)
      taps.slide(x[1 &* pixel], &s0, &s1, &s2)
      taps.slide(x[2 &* pixel], &s1, &s2, &s3)
      taps.slide(x[3 &* pixel], &s2, &s3, &s4)
      taps.slide(x[4 &* pixel], &s3, &s4, &s5)
      taps.slide(x[5 &* pixel], &s4, &s5, &s6)
      taps.slide(x[6 &* pixel], &s5, &s6, &s7)
      taps.leave(x[7 &* pixel], &s6, &s7)
      taps.leave(row.last[c], &s7)
    }
  }
  tile.store(s0, 0)
  tile.store(s1, 1)
  tile.store(s2, 2)
  tile.store(s3, 3)
  tile.store(s4, 4)
  tile.store(s5, 5)
  tile.store(s6, 6)
  tile.store(s7, 7)
}

/// 16 neighbouring pixels.
@inline(__always)
private func slide16(_ tile: SlidingTile) {
  var s0 = tile.start
  var s1 = tile.start
  var s2 = tile.start
  var s3 = tile.start
  var s4 = tile.start
  var s5 = tile.start
  var s6 = tile.start
  var s7 = tile.start
  var s8 = tile.start
  var s9 = tile.start
  var s10 = tile.start
  var s11 = tile.start
  var s12 = tile.start
  var s13 = tile.start
  var s14 = tile.start
  var s15 = tile.start
  let pixel = tile.channels, step = tile.tapStep
  for row in 0..<tile.count {
    let row = tile.rows[row]
    var w = row.weights
    for c in 0..<tile.channels {
      let taps = WindowRow(w, step)
      w += tile.weightStep
      taps.enter(row.first[c], &s0)
      let x = row.inner + c
      taps.enter(x[0], &s0, &s1)
      taps.slide(x[1 &* pixel], &s0, &s1, &s2)
      taps.slide(x[2 &* pixel], &s1, &s2, &s3)
      taps.slide(x[3 &* pixel], &s2, &s3, &s4)
      taps.slide(x[4 &* pixel], &s3, &s4, &s5)
      taps.slide(x[5 &* pixel], &s4, &s5, &s6)
      taps.slide(x[6 &* pixel], &s5, &s6, &s7)
      taps.slide(x[7 &* pixel], &s6, &s7, &s8)
      taps.slide(x[8 &* pixel], &s7, &s8, &s9)
      taps.slide(x[9 &* pixel], &s8, &s9, &s10)
      taps.slide(x[10 &* pixel], &s9, &s10, &s11)
      taps.slide(x[11 &* pixel], &s10, &s11, &s12)
      taps.slide(x[12 &* pixel], &s11, &s12, &s13)
      taps.slide(x[13 &* pixel], &s12, &s13, &s14)
      taps.slide(x[14 &* pixel], &s13, &s14, &s15)
      taps.leave(x[15 &* pixel], &s14, &s15)
      taps.leave(row.last[c], &s15)
    }
  }
  tile.store(s0, 0)
  tile.store(s1, 1)
  tile.store(s2, 2)
  tile.store(s3, 3)
  tile.store(s4, 4)
  tile.store(s5, 5)
  tile.store(s6, 6)
  tile.store(s7, 7)
  tile.store(s8, 8)
  tile.store(s9, 9)
  tile.store(s10, 10)
  tile.store(s11, 11)
  tile.store(s12, 12)
  tile.store(s13, 13)
  tile.store(s14, 14)
  tile.store(s15, 15)
}
