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
  let isSingle = panels.count == 1 && panels.width(0) < tileWidth
  let cuts = channelCuts(channels, largest: isSingle ? weightTileChannels.single : weightTileChannels.pair)
  let total = groups * outputs
  result.update(repeating: 0, count: taps * channels * total)
  parallel(taps * cuts.count, threads: threads) { tasks in
    withScratch(groups * packedGroup + 16 * tileWidth + block * scratchPerRow) { scratch in
      let sums = scratch + groups * packedGroup
      withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: block) { pointers in
        guard let pointers = pointers.baseAddress else { return }
        // Whole vectors that few tasks read, and whose rows fit together into the first-level cache, are read in
        // place.
        let isPacked =
          outputs % Vector.scalarCount != 0 || (total > 2 * tileWidth && tasks.count > 2)
        for first in stride(from: 0, to: rows, by: block) {
          let range = first..<min(first + block, rows)
          if isPacked {
            packGradient(
              gradient, rows: range, groups: groups, outputs: outputs, groupSize: packedGroup, block: block,
              into: scratch)
          }
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
                let width = panels.width(panel), columns = min(width, outputs - panel * tileWidth)
                let target = result + (tap * channels + channel) * total + group * outputs + panel * tileWidth
                var tile = WeightTileArguments(
                  rows: pointers, channel: group * channels + channel,
                  gradient: gradient + (first * total + group * outputs + panel * tileWidth),
                  gradientStep: total, pixels: range.count, sums: target, sumStep: total)
                if isPacked {
                  tile.gradient = UnsafePointer(scratch) + (group * packedGroup + panel * tileWidth * block)
                  tile.gradientStep = width
                }
                if columns == width {
                  tile.run(channels: height, single: width < tileWidth)
                } else {
                  tile.sums = sums
                  tile.sumStep = tileWidth
                  for row in 0..<height { copyRow(target + row * total, to: sums + row * tileWidth, columns) }
                  tile.run(channels: height, single: width < tileWidth)
                  for row in 0..<height { copyRow(sums + row * tileWidth, to: target + row * total, columns) }
                }
              }
            }
          }
        }
      }
    }
  }
}

/// Copies at most a panel's width of a row.
@inline(__always)
private func copyRow(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ columns: Int) {
  if columns == tileWidth {
    TwoVectors(at: source).store(target)
  } else if columns == Vector.scalarCount {
    Vector(at: source).store(target)
  } else {
    for column in 0..<columns { target[column] = source[column] }
  }
}

/// Brings a block of gradient rows into panels: `[group][panel][row][panel width]`.
///
/// - Parameters:
///   - groupSize: the floats of a group's panels.
///   - block: the rows for which a panel has room.
private func packGradient(
  _ gradient: UnsafePointer<Float>, rows: Range<Int>, groups: Int, outputs: Int, groupSize: Int, block: Int,
  into packed: UnsafeMutablePointer<Float>
) {
  let panels = Panels(outputs: outputs)
  for group in 0..<groups {
    for panel in 0..<panels.count {
      let width = panels.width(panel), columns = min(width, outputs - panel * tileWidth)
      var target = packed + group * groupSize + panel * tileWidth * block
      var source = gradient + rows.lowerBound * groups * outputs + group * outputs + panel * tileWidth
      for _ in rows {
        copyRow(source, to: target, columns)
        for column in columns..<width { target[column] = 0 }
        target += width
        source += groups &* outputs
      }
    }
  }
}
