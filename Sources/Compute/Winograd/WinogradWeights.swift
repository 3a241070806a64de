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
    let weights = backward ? turned(weights, threads) : weights
    let channels = weights.shape[2], outputs = weights.shape[3], matrix = channels * outputs
    let points = Transform.points, lanes = Vector.scalarCount
    return PackedWeights(groups: points * points, taps: 1, channels: channels, outputs: outputs) {
      packed, panels, groupSize in
      weights.withPointer { w in
        let w = UnsafeMutablePointer(mutating: w)
        parallel(panels.count * channels, threads: threads, grain: 128) { range in
          withScratch(3 * points * lanes) { lines in
            for index in range {
              let (panel, channel) = index.quotientAndRemainder(dividingBy: channels)
              let width = panels.width(panel), place = panel &* tileWidth
              let target = packed + (place &* channels &+ channel &* width)
              for first in stride(from: 0, to: width, by: lanes) {
                let source = w + (channel &* outputs &+ place &+ first), left = outputs &- place &- first
                for column in 0..<3 {
                  Transform.weights(
                    EvenTails(first: source + column &* matrix, step: 3 &* matrix, lanes: left),
                    EvenVectors(first: lines + column &* lanes, step: 3 &* lanes))
                }
                for row in 0..<points {
                  Transform.weights(
                    EvenVectors(first: lines + 3 &* row &* lanes, step: lanes),
                    EvenVectors(first: target + (row &* points &* groupSize &+ first), step: groupSize))
                }
              }
            }
          }
        }
      }
    }
  }

  /// The weights of the gradient to the input: the window rotated by 180°, channels and outputs exchanged.
  private static func turned(_ weights: Tensor, _ threads: Int) -> Tensor {
    let channels = weights.shape[2], outputs = weights.shape[3], matrix = channels * outputs
    let blocks = (channels + 15) / 16
    var result = Tensor(uninitialized: [3, 3, outputs, channels])
    weights.withPointer { w in
      result.withMutablePointer { result in
        parallel(9 * blocks, threads: threads, grain: max(1, 1024 / outputs)) { range in
          for index in range {
            let (tap, block) = index.quotientAndRemainder(dividingBy: blocks), channel = 16 &* block
            transpose(
              rows: min(16, channels &- channel), columns: outputs,
              from: w + ((8 &- tap) &* matrix &+ channel &* outputs), rowStride: outputs, columnStride: 1,
              to: result + (tap &* matrix &+ channel), stride: channels)
          }
        }
      }
    }
    return result
  }
}
