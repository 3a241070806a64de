import Tensors

/// Complex weights for each frequency, in the order in which the tiles read them:
/// `[frequency][group][panel][channel][real, imaginary][lane]`, a panel one vector of outputs wide; where each group
/// has one channel and one output, `[frequency][real, imaginary][group]`.
public struct ComplexWeights: Sendable {
  let groups: Int, channels: Int, outputs: Int
  private let storage: Tensor

  var panels: Int { (outputs + Vector.scalarCount - 1) / Vector.scalarCount }
  var panelFloats: Int { channels * 2 * Vector.scalarCount }
  private var frequencyFloats: Int { isDiagonal ? 2 * groups : groups * panels * panelFloats }
  /// Whether each channel has one factor of its own, as in depthwise convolution.
  var isDiagonal: Bool { channels == 1 && outputs == 1 }

  /// Packs `frequencies` matrices.
  ///
  /// - Parameters:
  ///   - real: the real part of (frequency, group, channel, output) lies at the sum of these indices times the
  ///     strides below.
  ///   - imaginary: the imaginary part lies as far behind this pointer; its sign is turned if `conjugate`.
  public init(
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
public func complexMultiply(
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
      withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: complexRows) { pointers in
        guard let pointers = pointers.baseAddress else { return }
        for frequency in range {
          for group in 0..<weights.groups {
            let first = packed + weights.offset(frequency, group)
            var row = 0
            while row < rows {
              // Rows that a short tile lacks read what its last row reads, and are not stored.
              let count = min(complexRows, rows - row)
              for index in 0..<complexRows {
                pointers[index] =
                  x
                  + ((row + min(index, count - 1)) * xRow + frequency * 2 * inputs + group * weights.channels)
              }
              for panel in 0..<weights.panels {
                let lane = panel * Vector.scalarCount
                let tile = ComplexTile(
                  rows: pointers, imaginary: inputs, channels: weights.channels,
                  weights: first + panel * weights.panelFloats,
                  output: y + (row * yRow + frequency * 2 * outputs + group * weights.outputs + lane),
                  outputRow: yRow, outputImaginary: outputs, lanes: weights.outputs - lane, count: count)
                #if WORKBENCH_AVX512
                  if count > 8 {
                    complexTile12(tile)
                  } else if count > 4 {
                    complexTile8(tile)
                  } else {
                    complexTile4(tile)
                  }
                #else
                  complexTile4(tile)
                #endif
              }
              row += count
            }
          }
        }
      }
    }
  }
}

/// The same where each channel has a factor of its own: vectors of channels.
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

#if WORKBENCH_AVX512
  private let complexRows = 12
#else
  private let complexRows = 4
#endif

private struct ComplexTile {
  let rows: UnsafePointer<UnsafePointer<Float>>
  /// How far behind a row's real parts the imaginary ones lie.
  let imaginary: Int
  let channels: Int
  let weights: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>
  let outputRow: Int, outputImaginary: Int
  let lanes: Int
  let count: Int

  @inline(__always)
  func store(_ row: Int, _ real: Vector, _ imaginary: Vector) {
    guard row < count else { return }
    Tail.store(real, output + row &* outputRow, lanes)
    Tail.store(imaginary, output + (row &* outputRow &+ outputImaginary), lanes)
  }
}

// Written out as the other tiles are: named variables stay in registers.

/// A tile of 4 rows and one vector of complex outputs.
@inline(__always)
private func complexTile4(_ tile: ComplexTile) {
  let p0 = tile.rows[0]
  let p1 = tile.rows[1]
  let p2 = tile.rows[2]
  let p3 = tile.rows[3]
  var r0 = Vector.zero
  var i0 = Vector.zero
  var r1 = Vector.zero
  var i1 = Vector.zero
  var r2 = Vector.zero
  var i2 = Vector.zero
  var r3 = Vector.zero
  var i3 = Vector.zero
  var w = tile.weights
  for c in 0..<tile.channels {
    let real = Vector(at: w), imaginary = Vector(at: w + Vector.scalarCount), minus = -imaginary
    let d = c &+ tile.imaginary
    r0 = r0.fused(Vector(repeating: p0[c]), real).fused(Vector(repeating: p0[d]), minus)
    i0 = i0.fused(Vector(repeating: p0[c]), imaginary).fused(Vector(repeating: p0[d]), real)
    r1 = r1.fused(Vector(repeating: p1[c]), real).fused(Vector(repeating: p1[d]), minus)
    i1 = i1.fused(Vector(repeating: p1[c]), imaginary).fused(Vector(repeating: p1[d]), real)
    r2 = r2.fused(Vector(repeating: p2[c]), real).fused(Vector(repeating: p2[d]), minus)
    i2 = i2.fused(Vector(repeating: p2[c]), imaginary).fused(Vector(repeating: p2[d]), real)
    r3 = r3.fused(Vector(repeating: p3[c]), real).fused(Vector(repeating: p3[d]), minus)
    i3 = i3.fused(Vector(repeating: p3[c]), imaginary).fused(Vector(repeating: p3[d]), real)
    w += 2 &* Vector.scalarCount
  }
  tile.store(0, r0, i0)
  tile.store(1, r1, i1)
  tile.store(2, r2, i2)
  tile.store(3, r3, i3)
}

#if WORKBENCH_AVX512
  /// A tile of 8 rows and one vector of complex outputs.
  @inline(__always)
  private func complexTile8(_ tile: ComplexTile) {
    let p0 = tile.rows[0]
    let p1 = tile.rows[1]
    let p2 = tile.rows[2]
    let p3 = tile.rows[3]
    let p4 = tile.rows[4]
    let p5 = tile.rows[5]
    let p6 = tile.rows[6]
    let p7 = tile.rows[7]
    var r0 = Vector.zero
    var i0 = Vector.zero
    var r1 = Vector.zero
    var i1 = Vector.zero
    var r2 = Vector.zero
    var i2 = Vector.zero
    var r3 = Vector.zero
    var i3 = Vector.zero
    var r4 = Vector.zero
    var i4 = Vector.zero
    var r5 = Vector.zero
    var i5 = Vector.zero
    var r6 = Vector.zero
    var i6 = Vector.zero
    var r7 = Vector.zero
    var i7 = Vector.zero
    var w = tile.weights
    for c in 0..<tile.channels {
      let real = Vector(at: w), imaginary = Vector(at: w + Vector.scalarCount), minus = -imaginary
      let d = c &+ tile.imaginary
      r0 = r0.fused(Vector(repeating: p0[c]), real).fused(Vector(repeating: p0[d]), minus)
      i0 = i0.fused(Vector(repeating: p0[c]), imaginary).fused(Vector(repeating: p0[d]), real)
      r1 = r1.fused(Vector(repeating: p1[c]), real).fused(Vector(repeating: p1[d]), minus)
      i1 = i1.fused(Vector(repeating: p1[c]), imaginary).fused(Vector(repeating: p1[d]), real)
      r2 = r2.fused(Vector(repeating: p2[c]), real).fused(Vector(repeating: p2[d]), minus)
      i2 = i2.fused(Vector(repeating: p2[c]), imaginary).fused(Vector(repeating: p2[d]), real)
      r3 = r3.fused(Vector(repeating: p3[c]), real).fused(Vector(repeating: p3[d]), minus)
      i3 = i3.fused(Vector(repeating: p3[c]), imaginary).fused(Vector(repeating: p3[d]), real)
      r4 = r4.fused(Vector(repeating: p4[c]), real).fused(Vector(repeating: p4[d]), minus)
      i4 = i4.fused(Vector(repeating: p4[c]), imaginary).fused(Vector(repeating: p4[d]), real)
      r5 = r5.fused(Vector(repeating: p5[c]), real).fused(Vector(repeating: p5[d]), minus)
      i5 = i5.fused(Vector(repeating: p5[c]), imaginary).fused(Vector(repeating: p5[d]), real)
      r6 = r6.fused(Vector(repeating: p6[c]), real).fused(Vector(repeating: p6[d]), minus)
      i6 = i6.fused(Vector(repeating: p6[c]), imaginary).fused(Vector(repeating: p6[d]), real)
      r7 = r7.fused(Vector(repeating: p7[c]), real).fused(Vector(repeating: p7[d]), minus)
      i7 = i7.fused(Vector(repeating: p7[c]), imaginary).fused(Vector(repeating: p7[d]), real)
      w += 2 &* Vector.scalarCount
    }
    tile.store(0, r0, i0)
    tile.store(1, r1, i1)
    tile.store(2, r2, i2)
    tile.store(3, r3, i3)
    tile.store(4, r4, i4)
    tile.store(5, r5, i5)
    tile.store(6, r6, i6)
    tile.store(7, r7, i7)
  }

  /// A tile of 12 rows and one vector of complex outputs.
  @inline(__always)
  private func complexTile12(_ tile: ComplexTile) {
    let p0 = tile.rows[0]
    let p1 = tile.rows[1]
    let p2 = tile.rows[2]
    let p3 = tile.rows[3]
    let p4 = tile.rows[4]
    let p5 = tile.rows[5]
    let p6 = tile.rows[6]
    let p7 = tile.rows[7]
    let p8 = tile.rows[8]
    let p9 = tile.rows[9]
    let p10 = tile.rows[10]
    let p11 = tile.rows[11]
    var r0 = Vector.zero
    var i0 = Vector.zero
    var r1 = Vector.zero
    var i1 = Vector.zero
    var r2 = Vector.zero
    var i2 = Vector.zero
    var r3 = Vector.zero
    var i3 = Vector.zero
    var r4 = Vector.zero
    var i4 = Vector.zero
    var r5 = Vector.zero
    var i5 = Vector.zero
    var r6 = Vector.zero
    var i6 = Vector.zero
    var r7 = Vector.zero
    var i7 = Vector.zero
    var r8 = Vector.zero
    var i8 = Vector.zero
    var r9 = Vector.zero
    var i9 = Vector.zero
    var r10 = Vector.zero
    var i10 = Vector.zero
    var r11 = Vector.zero
    var i11 = Vector.zero
    var w = tile.weights
    for c in 0..<tile.channels {
      let real = Vector(at: w), imaginary = Vector(at: w + Vector.scalarCount), minus = -imaginary
      let d = c &+ tile.imaginary
      r0 = r0.fused(Vector(repeating: p0[c]), real).fused(Vector(repeating: p0[d]), minus)
      i0 = i0.fused(Vector(repeating: p0[c]), imaginary).fused(Vector(repeating: p0[d]), real)
      r1 = r1.fused(Vector(repeating: p1[c]), real).fused(Vector(repeating: p1[d]), minus)
      i1 = i1.fused(Vector(repeating: p1[c]), imaginary).fused(Vector(repeating: p1[d]), real)
      r2 = r2.fused(Vector(repeating: p2[c]), real).fused(Vector(repeating: p2[d]), minus)
      i2 = i2.fused(Vector(repeating: p2[c]), imaginary).fused(Vector(repeating: p2[d]), real)
      r3 = r3.fused(Vector(repeating: p3[c]), real).fused(Vector(repeating: p3[d]), minus)
      i3 = i3.fused(Vector(repeating: p3[c]), imaginary).fused(Vector(repeating: p3[d]), real)
      r4 = r4.fused(Vector(repeating: p4[c]), real).fused(Vector(repeating: p4[d]), minus)
      i4 = i4.fused(Vector(repeating: p4[c]), imaginary).fused(Vector(repeating: p4[d]), real)
      r5 = r5.fused(Vector(repeating: p5[c]), real).fused(Vector(repeating: p5[d]), minus)
      i5 = i5.fused(Vector(repeating: p5[c]), imaginary).fused(Vector(repeating: p5[d]), real)
      r6 = r6.fused(Vector(repeating: p6[c]), real).fused(Vector(repeating: p6[d]), minus)
      i6 = i6.fused(Vector(repeating: p6[c]), imaginary).fused(Vector(repeating: p6[d]), real)
      r7 = r7.fused(Vector(repeating: p7[c]), real).fused(Vector(repeating: p7[d]), minus)
      i7 = i7.fused(Vector(repeating: p7[c]), imaginary).fused(Vector(repeating: p7[d]), real)
      r8 = r8.fused(Vector(repeating: p8[c]), real).fused(Vector(repeating: p8[d]), minus)
      i8 = i8.fused(Vector(repeating: p8[c]), imaginary).fused(Vector(repeating: p8[d]), real)
      r9 = r9.fused(Vector(repeating: p9[c]), real).fused(Vector(repeating: p9[d]), minus)
      i9 = i9.fused(Vector(repeating: p9[c]), imaginary).fused(Vector(repeating: p9[d]), real)
      r10 = r10.fused(Vector(repeating: p10[c]), real).fused(Vector(repeating: p10[d]), minus)
      i10 = i10.fused(Vector(repeating: p10[c]), imaginary).fused(Vector(repeating: p10[d]), real)
      r11 = r11.fused(Vector(repeating: p11[c]), real).fused(Vector(repeating: p11[d]), minus)
      i11 = i11.fused(Vector(repeating: p11[c]), imaginary).fused(Vector(repeating: p11[d]), real)
      w += 2 &* Vector.scalarCount
    }
    tile.store(0, r0, i0)
    tile.store(1, r1, i1)
    tile.store(2, r2, i2)
    tile.store(3, r3, i3)
    tile.store(4, r4, i4)
    tile.store(5, r5, i5)
    tile.store(6, r6, i6)
    tile.store(7, r7, i7)
    tile.store(8, r8, i8)
    tile.store(9, r9, i9)
    tile.store(10, r10, i10)
    tile.store(11, r11, i11)
  }
#endif
