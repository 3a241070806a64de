import Tensors

/// Weights in the order in which the microkernels read them: `[group][panel][tap][channel][panel width]`.
///
/// A panel is two vectors of outputs wide; the last is one vector wide if that is enough. Missing outputs are
/// zeros.
public struct PackedWeights: Sendable {
  /// The number of groups.
  public let groups: Int
  /// The taps of the window.
  public let taps: Int
  /// The channels summed over, in each group.
  public let channels: Int
  /// The outputs of each group.
  public let outputs: Int

  private let storage: Tensor

  /// Packs weights of any strides.
  ///
  /// - Parameters:
  ///   - weights: the first weight; the one of (group, tap, channel, output) lies at the sum of these indices
  ///     times the strides below, in floats.
  ///   - threads: how many threads share the panels.
  public init(
    groups: Int, taps: Int, channels: Int, outputs: Int, from weights: UnsafePointer<Float>,
    groupStride: Int, tapStride: Int, channelStride: Int, outputStride: Int, threads: Int = 1
  ) {
    self.init(groups: groups, taps: taps, channels: channels, outputs: outputs) { packed, panels, groupSize in
      // A range of at least 64 KiB is worth a thread's while.
      let grain = max(1, 16_384 / max(1, tileWidth * taps * channels))
      parallel(groups * panels.count, threads: threads, grain: grain) { indices in
        for index in indices {
          let (group, panel) = index.quotientAndRemainder(dividingBy: panels.count)
          let first = panel * tileWidth, width = panels.width(panel), valid = min(width, outputs - first)
          for tap in 0..<taps {
            let source = weights + group * groupStride + tap * tapStride + first * outputStride
            let target = packed + group * groupSize + first * taps * channels + tap * channels * width
            if outputStride == 1 {
              for channel in 0..<channels {
                copyRow(source + channel * channelStride, valid, target + channel * width, width)
              }
            } else {
              if valid < width { target.update(repeating: 0, count: channels * width) }
              transpose(
                rows: valid, columns: channels, from: source, rowStride: outputStride,
                columnStride: channelStride, to: target, stride: width)
            }
          }
        }
      }
    }
  }

  /// Weights that `fill` writes: it gets the first float, the panels, and the distance of two groups.
  init(
    groups: Int, taps: Int, channels: Int, outputs: Int,
    fill: (UnsafeMutablePointer<Float>, Panels, Int) -> Void
  ) {
    self.groups = groups
    self.taps = taps
    self.channels = channels
    self.outputs = outputs
    let panels = Panels(outputs: outputs), groupSize = panels.floats(depth: taps * channels)
    var storage = Tensor(uninitialized: [groups * groupSize])
    storage.withMutablePointer { fill($0, panels, groupSize) }
    self.storage = storage
  }

  /// Packs convolution weights in HWIO order for the forward pass.
  ///
  /// - Parameters:
  ///   - weights: `[kernel height, kernel width, input channels / groups, output channels]`.
  ///   - threads: how many threads share the panels.
  public init(forward weights: Tensor, groups: Int, threads: Int = 1) {
    let shape = weights.shape
    let taps = shape[0] * shape[1], channels = shape[2], outputs = shape[3]
    self = weights.withPointer {
      PackedWeights(
        groups: groups, taps: taps, channels: channels, outputs: outputs / groups, from: $0,
        groupStride: outputs / groups, tapStride: channels * outputs, channelStride: outputs, outputStride: 1,
        threads: threads)
    }
  }

  /// Packs convolution weights in HWIO order for the pass back to the input: channels and outputs change
  /// places.
  public init(backward weights: Tensor, groups: Int, threads: Int = 1) {
    let shape = weights.shape
    let taps = shape[0] * shape[1], channels = shape[2], outputs = shape[3]
    self = weights.withPointer {
      PackedWeights(
        groups: groups, taps: taps, channels: outputs / groups, outputs: channels, from: $0,
        groupStride: outputs / groups, tapStride: channels * outputs, channelStride: 1, outputStride: outputs,
        threads: threads)
    }
  }

  /// Calls `body` with the first float of a group's first panel.
  @inline(__always)
  func withPointer<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result { storage.withPointer(body) }
}

/// The division of a number of outputs into panels.
struct Panels {
  let outputs: Int

  var count: Int { (outputs + tileWidth - 1) / tileWidth }

  /// The lanes of a panel, padding included.
  func width(_ panel: Int) -> Int {
    outputs - panel * tileWidth <= Vector.scalarCount ? Vector.scalarCount : tileWidth
  }

  /// The floats of all panels when each has `depth` rows.
  func floats(depth: Int) -> Int { ((count - 1) * tileWidth + width(count - 1)) * depth }
}

/// Copies `valid` floats to a row of `width`, which is one vector or two, and fills it with zeros.
@inline(__always)
private func copyRow(
  _ source: UnsafePointer<Float>, _ valid: Int, _ target: UnsafeMutablePointer<Float>, _ width: Int
) {
  forEachPart(width) { place, _ in Tail.load(source + place, valid - place).store(target + place) }
}

/// `target[column · stride + row] = source[row · rowStride + column · columnStride]`, some columns at a time, so that the
/// cache lines of all rows stay in the first-level cache.
func transpose(
  rows: Int, columns: Int, from source: UnsafePointer<Float>, rowStride: Int, columnStride: Int,
  to target: UnsafeMutablePointer<Float>, stride: Int
) {
  for first in Swift.stride(from: 0, to: columns, by: 16) {
    let count = min(16, columns - first)
    for row in 0..<rows {
      let from = source + (row &* rowStride &+ first &* columnStride)
      let to = target + (first &* stride &+ row)
      for column in 0..<count { to[column &* stride] = from[column &* columnStride] }
    }
  }
}
