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
  public init(
    groups: Int, taps: Int, channels: Int, outputs: Int, from weights: UnsafePointer<Float>,
    groupStride: Int, tapStride: Int, channelStride: Int, outputStride: Int
  ) {
    self.groups = groups
    self.taps = taps
    self.channels = channels
    self.outputs = outputs
    let panels = Panels(outputs: outputs)
    let groupSize = panels.floats(depth: taps * channels)
    var storage = Tensor(uninitialized: [groups * groupSize])
    storage.withMutablePointer { packed in
      for group in 0..<groups {
        for panel in 0..<panels.count {
          let width = panels.width(panel), first = panel * tileWidth
          let valid = min(width, outputs - first)
          var target = packed + group * groupSize + panel * tileWidth * taps * channels
          for tap in 0..<taps {
            let tapWeights = weights + group * groupStride + tap * tapStride + first * outputStride
            for channel in 0..<channels {
              let source = tapWeights + channel * channelStride
              if outputStride == 1 {
                target.update(from: source, count: valid)
              } else {
                for lane in 0..<valid { target[lane] = source[lane &* outputStride] }
              }
              for lane in valid..<width { target[lane] = 0 }
              target += width
            }
          }
        }
      }
    }
    self.storage = storage
  }

  /// Packs convolution weights in HWIO order for the forward pass.
  ///
  /// - Parameter weights: `[kernel height, kernel width, input channels / groups, output channels]`.
  public init(forward weights: Tensor, groups: Int) {
    let shape = weights.shape
    let taps = shape[0] * shape[1], channels = shape[2], outputs = shape[3]
    self = weights.withPointer {
      PackedWeights(
        groups: groups, taps: taps, channels: channels, outputs: outputs / groups, from: $0,
        groupStride: outputs / groups, tapStride: channels * outputs, channelStride: outputs, outputStride: 1)
    }
  }

  /// Packs convolution weights in HWIO order for the pass back to the input: channels and outputs change
  /// places.
  public init(backward weights: Tensor, groups: Int) {
    let shape = weights.shape
    let taps = shape[0] * shape[1], channels = shape[2], outputs = shape[3]
    self = weights.withPointer {
      PackedWeights(
        groups: groups, taps: taps, channels: outputs / groups, outputs: channels, from: $0,
        groupStride: outputs / groups, tapStride: channels * outputs, channelStride: 1, outputStride: outputs)
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
