import Tensors

/// The size of Winograd's tiles.
package enum WinogradSize: Int, Sendable {
  /// F(2×2, 3×3): 16 products for 4 outputs.
  case two = 2
  /// F(4×4, 3×3): 36 products for 16 outputs, at a larger rounding error.
  case four = 4

  /// Products of a tile.
  package var products: Int { (rawValue + 2) * (rawValue + 2) }
}

/// 3×3 weights in Winograd's domain, packed: a matrix of channels × outputs for each product of a tile.
package struct WinogradWeights: Sendable {
  let size: WinogradSize
  let packed: PackedWeights

  /// Transforms weights `[3, 3, channels, outputs]`.
  ///
  /// - Parameter backward: whether for the gradient to the input: the window rotated by 180°, channels and
  ///   outputs exchanged.
  package init(_ weights: Tensor, _ size: WinogradSize, backward: Bool, threads: Int) {
    self.size = size
    switch size {
    case .two: packed = Self.pack(weights, WinogradTwo.self, backward, threads)
    case .four: packed = Self.pack(weights, WinogradFour.self, backward, threads)
    }
  }

  private static func pack<Transform: WinogradTransform>(
    _ weights: Tensor, _ transform: Transform.Type, _ backward: Bool, _ threads: Int
  ) -> PackedWeights {
    let channels = weights.shape[2], outputs = weights.shape[3], matrix = channels * outputs
    let points = Transform.points
    return withScratch(points * points * matrix) { u in
      weights.withPointer { w in
        let w = UnsafeMutablePointer(mutating: w)
        parallel(matrix, threads: threads, grain: 4096) { range in
          withScratch(3 * points * Vector.scalarCount) { lines in
            for first in stride(from: range.lowerBound, to: range.upperBound, by: Vector.scalarCount) {
              let lanes = range.upperBound &- first
              // For the input gradient the window is rotated by 180°.
              let turned = w + (first + (backward ? 8 &* matrix : 0)), tap = backward ? -matrix : matrix
              for column in 0..<3 {
                Transform.weights(
                  EvenTails(first: turned + column &* tap, step: 3 &* tap, lanes: lanes),
                  EvenVectors(first: lines + column &* Vector.scalarCount, step: 3 &* Vector.scalarCount))
              }
              for row in 0..<points {
                Transform.weights(
                  EvenVectors(first: lines + 3 &* row &* Vector.scalarCount, step: Vector.scalarCount),
                  EvenTails(first: u + (row &* points &* matrix + first), step: matrix, lanes: lanes))
              }
            }
          }
        }
      }
      return PackedWeights(
        groups: points * points, taps: 1, channels: backward ? outputs : channels,
        outputs: backward ? channels : outputs, from: u, groupStride: matrix, tapStride: 0,
        channelStride: backward ? 1 : outputs, outputStride: backward ? outputs : 1)
    }
  }
}
