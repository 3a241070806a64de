import Tensors

/// The gradient to the weights of a convolution with windows three pixels wide and stride 1: each loaded value is
/// multiplied by the gradients of all windows of its row that read it.
///
/// `result[tap, channel, output] = Σ over pixels of x[pixel, tap, channel] · g[pixel, output]`. Each weight is summed
/// by one thread, over the pixels in order: the result does not depend on `threads`.
///
/// - Parameters:
///   - rowDilation: the step from one row of the window to the next.
///   - top: the rows of padding above.
///   - left: the columns of padding on the left: at most two, as on the right.
///   - result: HWIO, overwritten.
package func slidingWeightGradient(
  input: FeatureShape, output: FeatureShape, kernelHeight: Int, rowDilation: Int, top: Int, left: Int,
  x: UnsafePointer<Float>, gradient: UnsafePointer<Float>, result: UnsafeMutablePointer<Float>, threads: Int
) {
  let lanes = Vector.scalarCount, panels = (output.channels + lanes - 1) / lanes
  let cuts = channelCuts(input.channels, largest: weightTileChannels.sliding)
  let packedRow = (input.width + 2) * lanes
  let block = slidingBlock(input: input, output: output)
  result.update(repeating: 0, count: 3 * kernelHeight * input.channels * output.channels)
  parallel(kernelHeight * cuts.count, threads: threads) { tasks in
    withScratch(panels * block * packedRow) { packed in
      for image in 0..<output.batch {
        for first in stride(from: 0, to: output.height, by: block) {
          let rows = first..<min(first + block, output.height)
          packGradient(
            gradient, image: image, rows: rows, output: output, left: left, rowSize: packedRow, block: block,
            into: packed)
          for task in tasks {
            let (channel, height) = cuts[task % cuts.count], tapRow = task / cuts.count
            // Rows of the output whose windows' row is inside the input.
            let reach = tapRow * rowDilation - top
            let inside = rows.clamped(to: max(0, -reach)..<max(0, -reach, input.height - reach))
            guard !inside.isEmpty else { continue }
            for panel in 0..<panels {
              SlidingWeightTileArguments(
                x: x + (image * input.height + inside.lowerBound + reach) * input.width * input.channels
                  + channel,
                xLine: input.width &* input.channels, xStep: input.channels,
                gradient: packed + (panel * block + inside.lowerBound - first) * packedRow,
                gradientLine: packedRow, lines: inside.count, pixels: input.width,
                result: result + (3 * tapRow * input.channels + channel) * output.channels + panel * lanes,
                channelStep: output.channels, tapStep: input.channels * output.channels,
                columns: output.channels - panel * lanes
              ).run(channels: height)
            }
          }
        }
      }
    }
  }
}

/// The rows whose gradients are brought into panels at once: what they read stays in the first-level cache, or near it.
private func slidingBlock(input: FeatureShape, output: FeatureShape) -> Int {
  min(output.height, max(2, 4096 / max(1, input.width * max(input.channels, output.channels))))
}

extension SlidingConvolution {
  /// How often the gradient to the weights reads and writes its sums: once for each block of rows of an image.
  package static func weightBlocks(input: FeatureShape, output: FeatureShape) -> Int {
    let block = slidingBlock(input: input, output: output)
    return output.batch * ((output.height + block - 1) / block)
  }
}

/// Brings rows of the gradient into panels of one vector, `[panel][row][column][lane]`, with zeros where a window of
/// the input's first or last pixels would lie outside: column q + 2 − t is met by pixel q under tap t.
///
/// - Parameters:
///   - rowSize: the floats of a row of a panel.
///   - block: the rows for which a panel has room.
private func packGradient(
  _ gradient: UnsafePointer<Float>, image: Int, rows: Range<Int>, output: FeatureShape, left: Int,
  rowSize: Int, block: Int, into packed: UnsafeMutablePointer<Float>
) {
  let lanes = Vector.scalarCount, columns = rowSize / lanes, before = 2 - left
  for panel in 0..<(output.channels + lanes - 1) / lanes {
    let count = output.channels - panel * lanes
    for row in rows {
      var target = packed + (panel * block + row - rows.lowerBound) * rowSize
      for _ in 0..<before {
        Vector.zero.store(target)
        target += lanes
      }
      var source = gradient + (image * output.height + row) * output.width * output.channels + panel * lanes
      for _ in 0..<output.width {
        Tail.load(source, count).store(target)
        source += output.channels
        target += lanes
      }
      for _ in before + output.width..<max(columns, before + output.width) {
        Vector.zero.store(target)
        target += lanes
      }
    }
  }
}
