import Tensors

/// The size of Winograd's tiles.
public enum WinogradSize: Int, Sendable {
  /// F(2×2, 3×3): 16 products for 4 outputs.
  case two = 2
  /// F(4×4, 3×3): 36 products for 16 outputs, at a larger rounding error.
  case four = 4

  /// Products of a tile.
  public var products: Int { (rawValue + 2) * (rawValue + 2) }
}

/// 3×3 weights in Winograd's domain, packed: a matrix of channels × outputs for each product of a tile.
public struct WinogradWeights: Sendable {
  let size: WinogradSize
  let packed: PackedWeights

  /// Transforms weights `[3, 3, channels, outputs]`.
  ///
  /// - Parameter backward: whether for the gradient to the input: the window turned by half a turn, channels and
  ///   outputs exchanged.
  public init(_ weights: Tensor, _ size: WinogradSize, backward: Bool, threads: Int) {
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
        parallel(matrix, threads: threads, grain: 4096) { range in
          withUnsafeTemporaryAllocation(of: Vector.self, capacity: 9 + 3 * points + points * points) {
            buffer in
            guard let g = buffer.baseAddress else { return }
            let lines = g + 9, spectrum = lines + 3 * points
            for first in stride(from: range.lowerBound, to: range.upperBound, by: Vector.scalarCount) {
              let lanes = range.upperBound &- first
              for tap in 0..<9 {
                g[tap] = Tail.load(w + (backward ? 8 &- tap : tap) &* matrix + first, lanes)
              }
              for column in 0..<3 { Transform.weights(g + column, lines + column, step: 3) }
              for row in 0..<points {
                Transform.weights(lines + row &* 3, spectrum + row &* points, step: 1)
              }
              for product in 0..<points &* points {
                Tail.store(spectrum[product], u + product &* matrix + first, lanes)
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
