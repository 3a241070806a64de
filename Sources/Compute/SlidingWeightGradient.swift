import Tensors

/// The gradient to the weights of a convolution with windows three pixels wide that move by one pixel: each value that
/// is read meets the gradients of all windows of its row that read it.
///
/// `result[tap, channel, output] = Σ over pixels of x[pixel, tap, channel] · g[pixel, output]`. Each weight is summed by
/// one thread, over the pixels in order: the result does not depend on `threads`.
///
/// - Parameters:
///   - rowDilation: the distance of the window's rows.
///   - top: the rows of padding above.
///   - left: the columns of padding on the left: at most two, as on the right.
///   - result: HWIO, overwritten.
public func slidingWeightGradient(
  input: FeatureShape, output: FeatureShape, kernelHeight: Int, rowDilation: Int, top: Int, left: Int,
  x: UnsafePointer<Float>, gradient: UnsafePointer<Float>, result: UnsafeMutablePointer<Float>, threads: Int
) {
  let lanes = Vector.scalarCount, panels = (output.channels + lanes - 1) / lanes
  let cuts = channelCuts(input.channels)
  let packedRow = (input.width + 2) * lanes
  // What a block reads stays in the first-level cache, or near it.
  let block = min(output.height, max(2, 4096 / max(1, input.width * max(input.channels, output.channels))))
  result.update(repeating: 0, count: 3 * kernelHeight * input.channels * output.channels)
  parallel(kernelHeight * cuts.count, threads: threads) { tasks in
    withScratch(panels * block * packedRow) { packed in
      for image in 0..<output.batch {
        for first in stride(from: 0, to: output.height, by: block) {
          let rows = first..<min(first + block, output.height)
          pack(gradient, image, rows, output, left, packedRow, block, packed)
          for task in tasks {
            let (channel, height) = cuts[task % cuts.count], tapRow = task / cuts.count
            // Rows of the output whose windows' row lies inside the input.
            let reach = tapRow * rowDilation - top
            let inside = rows.clamped(to: max(0, -reach)..<max(0, -reach, input.height - reach))
            guard !inside.isEmpty else { continue }
            for panel in 0..<panels {
              let tile = SlidingWeightTile(
                x: x + (image * input.height + inside.lowerBound + reach) * input.width * input.channels
                  + channel,
                xRow: input.width &* input.channels, pixel: input.channels,
                gradient: packed + (panel * block + inside.lowerBound - first) * packedRow,
                gradientRow: packedRow, rows: inside.count, columns: input.width,
                result: result + (3 * tapRow * input.channels + channel) * output.channels + panel * lanes,
                channelStep: output.channels, tapStep: input.channels * output.channels,
                lanes: output.channels - panel * lanes)
              switch height {
              case 8: slidingWeights8(tile)
              case 4: slidingWeights4(tile)
              default: slidingWeights1(tile)
              }
            }
          }
        }
      }
    }
  }
}

/// Cuts the channels into heights that a tile exists for: (first channel, height).
private func channelCuts(_ channels: Int) -> [(Int, Int)] {
  var cuts: [(Int, Int)] = []
  var channel = 0
  while channel < channels {
    #if WORKBENCH_AVX512
      let rest = channels - channel, height = rest >= 8 ? 8 : rest >= 4 ? 4 : 1
    #else
      let height = channels - channel >= 4 ? 4 : 1
    #endif
    cuts.append((channel, height))
    channel += height
  }
  return cuts
}

/// Brings rows of the gradient into panels of one vector, `[panel][row][column][lane]`, with zeros where a window of
/// the input's first or last pixels would lie outside: column q + 2 − t is met by pixel q under tap t.
private func pack(
  _ gradient: UnsafePointer<Float>, _ image: Int, _ rows: Range<Int>, _ output: FeatureShape, _ left: Int,
  _ packedRow: Int, _ block: Int, _ packed: UnsafeMutablePointer<Float>
) {
  let lanes = Vector.scalarCount, columns = packedRow / lanes, before = 2 - left
  for panel in 0..<(output.channels + lanes - 1) / lanes {
    let count = output.channels - panel * lanes
    for row in rows {
      var target = packed + (panel * block + row - rows.lowerBound) * packedRow
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

/// What a microkernel of the sliding weight gradient reads and writes.
private struct SlidingWeightTile {
  var x: UnsafePointer<Float>
  var xRow: Int
  var pixel: Int
  var gradient: UnsafePointer<Float>
  var gradientRow: Int
  var rows: Int
  var columns: Int
  var result: UnsafeMutablePointer<Float>
  var channelStep: Int
  var tapStep: Int
  var lanes: Int
}

/// The sums of one channel's three taps.
private struct TapSums {
  var a, b, c: Vector

  @inline(__always) init(_ tile: SlidingWeightTile, _ channel: Int) {
    let sums = tile.result + channel &* tile.channelStep
    a = Tail.load(sums, tile.lanes)
    b = Tail.load(sums + tile.tapStep, tile.lanes)
    c = Tail.load(sums + 2 &* tile.tapStep, tile.lanes)
  }

  @inline(__always) mutating func add(_ x: Float, _ g: WindowRow) {
    let x = Vector(repeating: x)
    a = a.fused(x, g.c)
    b = b.fused(x, g.b)
    c = c.fused(x, g.a)
  }

  @inline(__always) func store(_ tile: SlidingWeightTile, _ channel: Int) {
    let sums = tile.result + channel &* tile.channelStep
    Tail.store(a, sums, tile.lanes)
    Tail.store(b, sums + tile.tapStep, tile.lanes)
    Tail.store(c, sums + 2 &* tile.tapStep, tile.lanes)
  }
}

/// 1 channel.
@inline(__always)
private func slidingWeights1(_ tile: SlidingWeightTile) {
  var s0 = TapSums(tile, 0)
  for row in 0..<tile.rows {
    var x = tile.x + row &* tile.xRow, g = tile.gradient + row &* tile.gradientRow
    for _ in 0..<tile.columns {
      let windows = WindowRow(g, Vector.scalarCount)
      s0.add(x[0], windows)
      x += tile.pixel
      g += Vector.scalarCount
    }
  }
  s0.store(tile, 0)
}

/// 4 channels.
@inline(__always)
private func slidingWeights4(_ tile: SlidingWeightTile) {
  var s0 = TapSums(tile, 0)
  var s1 = TapSums(tile, 1)
  var s2 = TapSums(tile, 2)
  var s3 = TapSums(tile, 3)
  for row in 0..<tile.rows {
    var x = tile.x + row &* tile.xRow, g = tile.gradient + row &* tile.gradientRow
    for _ in 0..<tile.columns {
      let windows = WindowRow(g, Vector.scalarCount)
      s0.add(x[0], windows)
      s1.add(x[1], windows)
      s2.add(x[2], windows)
      s3.add(x[3], windows)
      x += tile.pixel
      g += Vector.scalarCount
    }
  }
  s0.store(tile, 0)
  s1.store(tile, 1)
  s2.store(tile, 2)
  s3.store(tile, 3)
}

/// 8 channels.
@inline(__always)
private func slidingWeights8(_ tile: SlidingWeightTile) {
  var s0 = TapSums(tile, 0)
  var s1 = TapSums(tile, 1)
  var s2 = TapSums(tile, 2)
  var s3 = TapSums(tile, 3)
  var s4 = TapSums(tile, 4)
  var s5 = TapSums(tile, 5)
  var s6 = TapSums(tile, 6)
  var s7 = TapSums(tile, 7)
  for row in 0..<tile.rows {
    var x = tile.x + row &* tile.xRow, g = tile.gradient + row &* tile.gradientRow
    for _ in 0..<tile.columns {
      let windows = WindowRow(g, Vector.scalarCount)
      s0.add(x[0], windows)
      s1.add(x[1], windows)
      s2.add(x[2], windows)
      s3.add(x[3], windows)
      s4.add(x[4], windows)
      s5.add(x[5], windows)
      s6.add(x[6], windows)
      s7.add(x[7], windows)
      x += tile.pixel
      g += Vector.scalarCount
    }
  }
  s0.store(tile, 0)
  s1.store(tile, 1)
  s2.store(tile, 2)
  s3.store(tile, 3)
  s4.store(tile, 4)
  s5.store(tile, 5)
  s6.store(tile, 6)
  s7.store(tile, 7)
}
