import Tensors

/// A dense convolution with windows three pixels wide, stride 1 and few outputs.
///
/// If the outputs fill only one vector, the indirect GEMM loads a value for each product. Here a tile is a run of
/// neighbouring pixels, and each loaded value is multiplied by all taps of its row that reach it.
package struct SlidingConvolution {
  let input, output: FeatureShape
  let kernelHeight, rowDilation, top, left: Int
  let isTurned: Bool

  /// Nil if a convolution is not of this kind.
  ///
  /// - Parameters:
  ///   - top: the rows of padding above.
  ///   - left: the columns of padding on the left.
  ///   - isTurned: whether the window is rotated by 180°, as for the gradient to the input.
  package init?(
    input: FeatureShape, output: FeatureShape, kernelHeight: Int, rowDilation: Int, top: Int, left: Int,
    isTurned: Bool
  ) {
    // At most one pixel is outside on either side, and a row is at least a tile long.
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
  ///   - epilogue: what is done to the sums before they are stored.
  ///   - threads: how many threads share the rows of y; the result does not depend on it.
  package func callAsFunction(
    _ x: UnsafePointer<Float>, _ weights: PackedWeights, y: UnsafeMutablePointer<Float>,
    epilogue: EpiloguePointers,
    threads: Int
  ) {
    let zeros = Tensor(repeating: 0, [input.channels])
    let panels = Panels(outputs: output.channels), depth = 3 * kernelHeight * input.channels
    weights.withPointer { weights in
      zeros.withPointer { zeros in
        parallel(output.batch * output.height, threads: threads) { rows in
          withUnsafeTemporaryAllocation(of: SlidingLine.self, capacity: kernelHeight) { lines in
            guard let lines = lines.baseAddress else { return }
            for firstOutput in stride(from: 0, to: output.channels, by: Vector.scalarCount) {
              let panel = firstOutput / tileWidth
              let pass = Pass(
                x: x, y: y, zeros: zeros, epilogue: epilogue, firstOutput: firstOutput,
                weights: weights + (panel * tileWidth * depth + firstOutput % tileWidth),
                weightStep: panels.width(panel))
              for row in rows { compute(row, pass, lines) }
            }
          }
        }
      }
    }
  }

  /// What all rows of y share, for one vector of outputs.
  private struct Pass {
    let x: UnsafePointer<Float>
    let y: UnsafeMutablePointer<Float>
    /// A pixel of padding.
    let zeros: UnsafePointer<Float>
    let epilogue: EpiloguePointers
    /// The first of the vector's outputs.
    let firstOutput: Int
    /// Its weights: `[tap][channel][lane]`, channels `weightStep` apart.
    let weights: UnsafePointer<Float>
    let weightStep: Int
  }

  /// One row of y, tile by tile.
  private func compute(_ outputRow: Int, _ pass: Pass, _ lines: UnsafeMutablePointer<SlidingLine>) {
    let tap = input.channels * pass.weightStep, outputs = output.channels - pass.firstOutput
    let bias = pass.epilogue.bias.map { Tail.load($0 + pass.firstOutput, outputs) } ?? .zero
    var column = 0
    while column < output.width {
      // The last tile is moved back to end with the row; pixels that it shares with the tile before are stored once.
      let isLong = slidingTilePixels > 8 && output.width >= slidingTilePixels && output.width - column > 8
      let pixels = isLong ? slidingTilePixels : 8
      let first = min(column, output.width - pixels)
      SlidingTileArguments(
        lines: lines, count: fill(lines, outputRow, first..<first + pixels, tap, pass),
        channels: input.channels, weightStep: pass.weightStep, tapStep: isTurned ? -tap : tap, bias: bias,
        output: pass.y + ((outputRow * output.width + first) * output.channels + pass.firstOutput),
        outputStep: output.channels, columns: outputs, skipped: column - first, epilogue: pass.epilogue
      ).run(pixels: pixels)
      column = first + pixels
    }
  }

  /// Fills the table of a tile: where the columns of an output row read, in each line of the window that is inside the image.
  ///
  /// - Returns: the number of these lines.
  private func fill(
    _ lines: UnsafeMutablePointer<SlidingLine>, _ outputRow: Int, _ columns: Range<Int>, _ tap: Int,
    _ pass: Pass
  ) -> Int {
    let (image, row) = outputRow.quotientAndRemainder(dividingBy: output.height)
    let before = columns.lowerBound - left, after = columns.upperBound - left + 1, channels = input.channels
    var count = 0
    for tapRow in 0..<kernelHeight {
      let inputRow = row - top + tapRow * rowDilation
      guard inputRow >= 0, inputRow < input.height else { continue }
      let line = pass.x + (image * input.height + inputRow) * input.width * channels
      let place = isTurned ? kernelHeight - 1 - tapRow : tapRow
      lines[count] = SlidingLine(
        before: before < 0 ? pass.zeros : line + before * channels,
        inner: line + (before + 1) * channels,
        after: after < input.width ? line + after * channels : pass.zeros,
        weights: pass.weights + (3 * place + (isTurned ? 2 : 0)) * tap)
      count += 1
    }
    return count
  }
}
