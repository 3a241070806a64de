import Tensors

/// Complex weights for each frequency, in the order in which the tiles read them:
/// `[frequency][group][panel][channel][real, imaginary][lane]`, a panel one vector of outputs wide; where each group
/// has one channel and one output, `[frequency][real, imaginary][group]`.
package struct ComplexWeights: Sendable {
  let groups: Int, channels: Int, outputs: Int
  private let storage: Tensor

  var panels: Int { (outputs + Vector.scalarCount - 1) / Vector.scalarCount }
  var panelFloats: Int { channels * 2 * Vector.scalarCount }
  private var frequencyFloats: Int { isDiagonal ? 2 * groups : groups * panels * panelFloats }
  /// Whether each channel has its own factor, as in depthwise convolution.
  var isDiagonal: Bool { channels == 1 && outputs == 1 }

  /// Packs `frequencies` matrices.
  ///
  /// - Parameters:
  ///   - real: the real part of (frequency, group, channel, output) lies at the sum of these indices times the
  ///     strides below.
  ///   - imaginary: the imaginary part lies this far after the pointer; its sign is turned if `conjugate`.
  package init(
    frequencies: Int, groups: Int, channels: Int, outputs: Int, real: UnsafePointer<Float>,
    imaginary: UnsafePointer<Float>, conjugate: Bool, frequencyStride: Int, groupStride: Int,
    channelStride: Int, outputStride: Int, threads: Int
  ) {
    self.groups = groups
    self.channels = channels
    self.outputs = outputs
    if channels == 1 && outputs == 1 {
      storage = Self.diagonal(
        frequencies, groups, real, imaginary, conjugate: conjugate, frequencyStride, groupStride)
      return
    }
    let lanes = Vector.scalarCount, panels = (outputs + lanes - 1) / lanes
    let size = groups * panels * channels * 2 * lanes
    var storage = Tensor(uninitialized: [frequencies * size])
    storage.withMutablePointer { storage in
      parallel(frequencies, threads: threads) { range in
        for frequency in range {
          var target = storage + frequency * size
          for group in 0..<groups {
            for panel in 0..<panels {
              let valid = min(lanes, outputs - panel * lanes)
              for channel in 0..<channels {
                let first =
                  frequency * frequencyStride + group * groupStride + channel * channelStride
                  + panel * lanes * outputStride
                for lane in 0..<lanes {
                  let source = first + lane * outputStride
                  target[lane] = lane < valid ? real[source] : 0
                  target[lanes + lane] =
                    lane < valid ? (conjugate ? -imaginary[source] : imaginary[source]) : 0
                }
                target += 2 * lanes
              }
            }
          }
        }
      }
    }
    self.storage = storage
  }

  private static func diagonal(
    _ frequencies: Int, _ groups: Int, _ real: UnsafePointer<Float>, _ imaginary: UnsafePointer<Float>,
    conjugate: Bool, _ frequencyStride: Int, _ groupStride: Int
  ) -> Tensor {
    var storage = Tensor(uninitialized: [frequencies * 2 * groups])
    storage.withMutablePointer { storage in
      for frequency in 0..<frequencies {
        let target = storage + frequency * 2 * groups
        for group in 0..<groups {
          let source = frequency * frequencyStride + group * groupStride
          target[group] = real[source]
          target[groups + group] = conjugate ? -imaginary[source] : imaginary[source]
        }
      }
    }
    return storage
  }

  /// The first panel of a frequency and a group.
  func withPointer(_ body: (UnsafePointer<Float>) -> Void) { storage.withPointer(body) }
  func offset(_ frequency: Int, _ group: Int) -> Int {
    frequency * frequencyFloats + group * panels * panelFloats
  }
}

/// y = x · w for each frequency, over complex numbers.
///
/// A row of x lies at `x + row · xRow + frequency · 2 · groups · channels`: the real parts of all channels, then the
/// imaginary ones; likewise y.
package func complexMultiply(
  rows: Int, frequencies: Int, weights: ComplexWeights, x: UnsafePointer<Float>, xRow: Int,
  y: UnsafeMutablePointer<Float>, yRow: Int, threads: Int
) {
  let inputs = weights.groups * weights.channels, outputs = weights.groups * weights.outputs
  if weights.isDiagonal {
    return diagonalMultiply(
      rows: rows, frequencies: frequencies, weights: weights, x: x, xRow: xRow, y: y, yRow: yRow,
      threads: threads)
  }
  weights.withPointer { packed in
    parallel(frequencies, threads: threads) { range in
      withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: complexTileRows) { pointers in
        guard let pointers = pointers.baseAddress else { return }
        for frequency in range {
          for group in 0..<weights.groups {
            let first = packed + weights.offset(frequency, group)
            for row in stride(from: 0, to: rows, by: complexTileRows) {
              let count = min(complexTileRows, rows - row)
              for index in 0..<complexTileRows {
                pointers[index] =
                  x
                  + ((row + min(index, count - 1)) * xRow + frequency * 2 * inputs + group * weights.channels)
              }
              for panel in 0..<weights.panels {
                let lane = panel * Vector.scalarCount
                ComplexTileArguments(
                  rows: pointers, imaginary: inputs, channels: weights.channels,
                  weights: first + panel * weights.panelFloats,
                  output: y + (row * yRow + frequency * 2 * outputs + group * weights.outputs + lane),
                  outputRow: yRow, outputImaginary: outputs, columns: weights.outputs - lane, count: count
                ).run()
              }
            }
          }
        }
      }
    }
  }
}

/// The same where each channel has its own factor: vectors of channels.
private func diagonalMultiply(
  rows: Int, frequencies: Int, weights: ComplexWeights, x: UnsafePointer<Float>, xRow: Int,
  y: UnsafeMutablePointer<Float>, yRow: Int, threads: Int
) {
  let channels = weights.groups
  weights.withPointer { w in
    parallel(frequencies, threads: threads) { range in
      for row in 0..<rows {
        for frequency in range {
          let place = frequency &* 2 &* channels
          let x = x + (row &* xRow &+ place), y = y + (row &* yRow &+ place), w = w + place
          for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
            let lanes = channels &- channel
            let a = Tail.load(x + channel, lanes), b = Tail.load(x + channels + channel, lanes)
            let c = Tail.load(w + channel, lanes), d = Tail.load(w + channels + channel, lanes)
            Tail.store((a * c).fused(b, Vector.zero - d), y + channel, lanes)
            Tail.store((a * d).fused(b, c), y + channels + channel, lanes)
          }
        }
      }
    }
  }
}
