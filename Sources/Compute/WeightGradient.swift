import Tensors

/// The gradient to the weights: `result[tap, channel, output] = Σ over rows of x[row, tap, channel] · g[row, output]`.
///
/// Each weight is summed by one thread, over the rows in order: the result does not depend on `threads`.
///
/// - Parameters:
///   - rows: the number of output pixels.
///   - gradient: row r starts at `gradient + r · groups · outputs`.
///   - result: HWIO: `[tap][channel of the group][output of all groups]`, overwritten.
///   - scratchPerRow: floats of scratch memory that `fill` needs for each row.
///   - fill: for (tap, rows, pointers, scratch), writes where each of these rows reads that tap's channels (of all groups).
public func indirectWeightGradient(
  rows: Int, groups: Int, taps: Int, channels: Int, outputs: Int, gradient: UnsafePointer<Float>,
  result: UnsafeMutablePointer<Float>, scratchPerRow: Int = 0, threads: Int,
  fill: (Int, Range<Int>, UnsafeMutablePointer<UnsafePointer<Float>>, UnsafeMutablePointer<Float>) -> Void
) {
  let block = min(128, max(rows, 1))
  let panels = Panels(outputs: outputs)
  let packedGroup = panels.floats(depth: block)
  let cuts = channelCuts(channels, single: panels.count == 1 && panels.width(0) < tileWidth)
  let total = groups * outputs
  result.update(repeating: 0, count: taps * channels * total)
  parallel(taps * cuts.count, threads: threads) { tasks in
    withScratch(groups * packedGroup + 16 * tileWidth + block * scratchPerRow) { scratch in
      let sums = scratch + groups * packedGroup
      withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: block) { pointers in
        guard let pointers = pointers.baseAddress else { return }
        for first in stride(from: 0, to: rows, by: block) {
          let range = first..<min(first + block, rows)
          packGradient(gradient, range, groups, outputs, packedGroup, block, scratch)
          var filled = -1
          for group in 0..<groups {
            for task in tasks {
              let tap = task / cuts.count
              let (channel, height) = cuts[task % cuts.count]
              if tap != filled {
                fill(tap, range, pointers, sums + 16 * tileWidth)
                filled = tap
              }
              for panel in 0..<panels.count {
                let packed = scratch + group * packedGroup + panel * tileWidth * block
                let columns = min(tileWidth, outputs - panel * tileWidth)
                let target = result + (tap * channels + channel) * total + group * outputs + panel * tileWidth
                copyRows(target, total, to: sums, tileWidth, rows: height, columns)
                runWeightTile(
                  pointers, group * channels + channel, height, packed, range.count, sums,
                  single: panels.width(panel) < tileWidth)
                copyRows(sums, tileWidth, to: target, total, rows: height, columns)
              }
            }
          }
        }
      }
    }
  }
}

/// Copies rows of at most a panel's width.
@inline(__always)
private func copyRows(
  _ source: UnsafePointer<Float>, _ sourceRow: Int, to target: UnsafeMutablePointer<Float>, _ targetRow: Int,
  rows: Int, _ columns: Int
) {
  for row in 0..<rows {
    let source = source + row &* sourceRow, target = target + row &* targetRow
    if columns == tileWidth {
      PairRow(PairRow.load(source)).store(target)
    } else if columns == Vector.scalarCount {
      Vector(at: source).store(target)
    } else {
      for column in 0..<columns { target[column] = source[column] }
    }
  }
}

/// Cuts the channels into heights that a weight tile exists for: (first channel, height).
func channelCuts(_ channels: Int, single: Bool) -> [(Int, Int)] {
  var cuts: [(Int, Int)] = []
  var channel = 0
  while channel < channels {
    #if WORKBENCH_AVX512
      let rest = channels - channel
      let height = single && rest >= 16 ? 16 : rest >= 8 ? 8 : rest >= 4 ? 4 : 1
    #else
      let height = channels - channel >= 4 ? 4 : 1
    #endif
    cuts.append((channel, height))
    channel += height
  }
  return cuts
}

/// Brings a block of gradient rows into panels: `[group][panel][row][panel width]`.
private func packGradient(
  _ gradient: UnsafePointer<Float>, _ rows: Range<Int>, _ groups: Int, _ outputs: Int, _ groupSize: Int,
  _ block: Int, _ packed: UnsafeMutablePointer<Float>
) {
  let panels = Panels(outputs: outputs)
  for group in 0..<groups {
    for panel in 0..<panels.count {
      let width = panels.width(panel), columns = min(width, outputs - panel * tileWidth)
      var target = packed + group * groupSize + panel * tileWidth * block
      var source = gradient + rows.lowerBound * groups * outputs + group * outputs + panel * tileWidth
      for _ in rows {
        if columns == tileWidth {
          PairRow(PairRow.load(source)).store(target)
        } else {
          for column in 0..<columns { target[column] = source[column] }
          for column in columns..<width { target[column] = 0 }
        }
        target += width
        source += groups &* outputs
      }
    }
  }
}

/// Adds to `sums` the products of rows of x, from a channel on, with a panel of gradients.
@inline(__always)
func runWeightTile(
  _ rows: UnsafePointer<UnsafePointer<Float>>, _ channel: Int, _ height: Int,
  _ gradient: UnsafePointer<Float>,
  _ pixels: Int, _ sums: UnsafeMutablePointer<Float>, single: Bool
) {
  switch (height, single) {
  #if WORKBENCH_AVX512
    case (16, _): weightTile16(rows, channel, gradient, pixels, sums, SingleRow.self)
    case (8, false): weightTile8(rows, channel, gradient, pixels, sums, PairRow.self)
    case (8, true): weightTile8(rows, channel, gradient, pixels, sums, SingleRow.self)
  #endif
  case (4, false): weightTile4(rows, channel, gradient, pixels, sums, PairRow.self)
  case (4, true): weightTile4(rows, channel, gradient, pixels, sums, SingleRow.self)
  case (_, false): weightTile1(rows, channel, gradient, pixels, sums, PairRow.self)
  case (_, true): weightTile1(rows, channel, gradient, pixels, sums, SingleRow.self)
  }
}

/// 1 channels × one panel of outputs, summed over the pixels of a block.
@inline(__always)
private func weightTile1<Row: TileRow>(
  _ rows: UnsafePointer<UnsafePointer<Float>>, _ channel: Int, _ gradient: UnsafePointer<Float>,
  _ pixels: Int,
  _ sums: UnsafeMutablePointer<Float>, _ row: Row.Type
) {
  var r0 = Row(Row.load(sums + 0 &* tileWidth))
  var g = gradient
  for pixel in 0..<pixels {
    let x = rows[pixel] + channel
    let gradient = Row.load(g)
    r0.add(x[0], gradient, .zero, MultiplyStep.self)
    g += Row.width
  }
  r0.store(sums + 0 &* tileWidth)
}

/// 4 channels × one panel of outputs, summed over the pixels of a block.
@inline(__always)
private func weightTile4<Row: TileRow>(
  _ rows: UnsafePointer<UnsafePointer<Float>>, _ channel: Int, _ gradient: UnsafePointer<Float>,
  _ pixels: Int,
  _ sums: UnsafeMutablePointer<Float>, _ row: Row.Type
) {
  var r0 = Row(Row.load(sums + 0 &* tileWidth))
  var r1 = Row(Row.load(sums + 1 &* tileWidth))
  var r2 = Row(Row.load(sums + 2 &* tileWidth))
  var r3 = Row(Row.load(sums + 3 &* tileWidth))
  var g = gradient
  for pixel in 0..<pixels {
    let x = rows[pixel] + channel
    let gradient = Row.load(g)
    r0.add(x[0], gradient, .zero, MultiplyStep.self)
    r1.add(x[1], gradient, .zero, MultiplyStep.self)
    r2.add(x[2], gradient, .zero, MultiplyStep.self)
    r3.add(x[3], gradient, .zero, MultiplyStep.self)
    g += Row.width
  }
  r0.store(sums + 0 &* tileWidth)
  r1.store(sums + 1 &* tileWidth)
  r2.store(sums + 2 &* tileWidth)
  r3.store(sums + 3 &* tileWidth)
}

#if WORKBENCH_AVX512
  /// 8 channels × one panel of outputs, summed over the pixels of a block.
  @inline(__always)
  private func weightTile8<Row: TileRow>(
    _ rows: UnsafePointer<UnsafePointer<Float>>, _ channel: Int, _ gradient: UnsafePointer<Float>,
    _ pixels: Int,
    _ sums: UnsafeMutablePointer<Float>, _ row: Row.Type
  ) {
    var r0 = Row(Row.load(sums + 0 &* tileWidth))
    var r1 = Row(Row.load(sums + 1 &* tileWidth))
    var r2 = Row(Row.load(sums + 2 &* tileWidth))
    var r3 = Row(Row.load(sums + 3 &* tileWidth))
    var r4 = Row(Row.load(sums + 4 &* tileWidth))
    var r5 = Row(Row.load(sums + 5 &* tileWidth))
    var r6 = Row(Row.load(sums + 6 &* tileWidth))
    var r7 = Row(Row.load(sums + 7 &* tileWidth))
    var g = gradient
    for pixel in 0..<pixels {
      let x = rows[pixel] + channel
      let gradient = Row.load(g)
      r0.add(x[0], gradient, .zero, MultiplyStep.self)
      r1.add(x[1], gradient, .zero, MultiplyStep.self)
      r2.add(x[2], gradient, .zero, MultiplyStep.self)
      r3.add(x[3], gradient, .zero, MultiplyStep.self)
      r4.add(x[4], gradient, .zero, MultiplyStep.self)
      r5.add(x[5], gradient, .zero, MultiplyStep.self)
      r6.add(x[6], gradient, .zero, MultiplyStep.self)
      r7.add(x[7], gradient, .zero, MultiplyStep.self)
      g += Row.width
    }
    r0.store(sums + 0 &* tileWidth)
    r1.store(sums + 1 &* tileWidth)
    r2.store(sums + 2 &* tileWidth)
    r3.store(sums + 3 &* tileWidth)
    r4.store(sums + 4 &* tileWidth)
    r5.store(sums + 5 &* tileWidth)
    r6.store(sums + 6 &* tileWidth)
    r7.store(sums + 7 &* tileWidth)
  }

  /// 16 channels × one panel of outputs, summed over the pixels of a block.
  @inline(__always)
  private func weightTile16<Row: TileRow>(
    _ rows: UnsafePointer<UnsafePointer<Float>>, _ channel: Int, _ gradient: UnsafePointer<Float>,
    _ pixels: Int,
    _ sums: UnsafeMutablePointer<Float>, _ row: Row.Type
  ) {
    var r0 = Row(Row.load(sums + 0 &* tileWidth))
    var r1 = Row(Row.load(sums + 1 &* tileWidth))
    var r2 = Row(Row.load(sums + 2 &* tileWidth))
    var r3 = Row(Row.load(sums + 3 &* tileWidth))
    var r4 = Row(Row.load(sums + 4 &* tileWidth))
    var r5 = Row(Row.load(sums + 5 &* tileWidth))
    var r6 = Row(Row.load(sums + 6 &* tileWidth))
    var r7 = Row(Row.load(sums + 7 &* tileWidth))
    var r8 = Row(Row.load(sums + 8 &* tileWidth))
    var r9 = Row(Row.load(sums + 9 &* tileWidth))
    var r10 = Row(Row.load(sums + 10 &* tileWidth))
    var r11 = Row(Row.load(sums + 11 &* tileWidth))
    var r12 = Row(Row.load(sums + 12 &* tileWidth))
    var r13 = Row(Row.load(sums + 13 &* tileWidth))
    var r14 = Row(Row.load(sums + 14 &* tileWidth))
    var r15 = Row(Row.load(sums + 15 &* tileWidth))
    var g = gradient
    for pixel in 0..<pixels {
      let x = rows[pixel] + channel
      let gradient = Row.load(g)
      r0.add(x[0], gradient, .zero, MultiplyStep.self)
      r1.add(x[1], gradient, .zero, MultiplyStep.self)
      r2.add(x[2], gradient, .zero, MultiplyStep.self)
      r3.add(x[3], gradient, .zero, MultiplyStep.self)
      r4.add(x[4], gradient, .zero, MultiplyStep.self)
      r5.add(x[5], gradient, .zero, MultiplyStep.self)
      r6.add(x[6], gradient, .zero, MultiplyStep.self)
      r7.add(x[7], gradient, .zero, MultiplyStep.self)
      r8.add(x[8], gradient, .zero, MultiplyStep.self)
      r9.add(x[9], gradient, .zero, MultiplyStep.self)
      r10.add(x[10], gradient, .zero, MultiplyStep.self)
      r11.add(x[11], gradient, .zero, MultiplyStep.self)
      r12.add(x[12], gradient, .zero, MultiplyStep.self)
      r13.add(x[13], gradient, .zero, MultiplyStep.self)
      r14.add(x[14], gradient, .zero, MultiplyStep.self)
      r15.add(x[15], gradient, .zero, MultiplyStep.self)
      g += Row.width
    }
    r0.store(sums + 0 &* tileWidth)
    r1.store(sums + 1 &* tileWidth)
    r2.store(sums + 2 &* tileWidth)
    r3.store(sums + 3 &* tileWidth)
    r4.store(sums + 4 &* tileWidth)
    r5.store(sums + 5 &* tileWidth)
    r6.store(sums + 6 &* tileWidth)
    r7.store(sums + 7 &* tileWidth)
    r8.store(sums + 8 &* tileWidth)
    r9.store(sums + 9 &* tileWidth)
    r10.store(sums + 10 &* tileWidth)
    r11.store(sums + 11 &* tileWidth)
    r12.store(sums + 12 &* tileWidth)
    r13.store(sums + 13 &* tileWidth)
    r14.store(sums + 14 &* tileWidth)
    r15.store(sums + 15 &* tileWidth)
  }
#endif
