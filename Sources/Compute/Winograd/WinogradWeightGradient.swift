import Tensors

/// The gradient to the weights of a 3×3 convolution of stride 1, by the transposes of Winograd's transforms: a fourth
/// of the products.
///
/// dw = Gᵀ [Σ over tiles of (Bᵀ x B) ⊙ (A g Aᵀ)] G. Each sum has one owner and runs over the tiles in order: the result
/// does not depend on `threads`.
///
/// - Parameters:
///   - tiling: x is its input, g its output.
///   - result: HWIO, overwritten.
package func winogradWeightGradient(
  _ size: WinogradSize, _ tiling: WinogradTiling, x: UnsafePointer<Float>, gradient: UnsafePointer<Float>,
  result: UnsafeMutablePointer<Float>, threads: Int
) {
  switch size {
  case .two: WeightGradient<WinogradTwo>(tiling, x, gradient).run(result, threads)
  case .four: WeightGradient<WinogradFour>(tiling, x, gradient).run(result, threads)
  }
}

private struct WeightGradient<Transform: WinogradTransform> {
  let tiling: WinogradTiling
  let x: UnsafePointer<Float>
  let gradient: UnsafePointer<Float>
  let channels: Int, outputs: Int
  let panels: Panels
  /// The tiles that pass through together.
  let chunk: Int
  /// Floats from one product's matrix to the next: of the inputs, and of the gradients `[panel][tile][lane]`.
  let inputPlane: Int, gradientPlane: Int
  var products: Int { Transform.points &* Transform.points }

  init(_ tiling: WinogradTiling, _ x: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>) {
    self.tiling = tiling
    self.x = x
    self.gradient = gradient
    channels = tiling.input.channels
    outputs = tiling.output.channels
    panels = Panels(outputs: outputs)
    // The sums, too many for the second-level cache, are fetched once a chunk: it is larger than that cache likes.
    let points = Transform.points
    chunk = min(
      tiling.count, max(16, (400 << 10) / (points * points * (channels + panels.floats(depth: 1)))))
    inputPlane = chunk * channels + 16
    gradientPlane = panels.floats(depth: chunk) + 16
  }

  func run(_ result: UnsafeMutablePointer<Float>, _ threads: Int) {
    let sumPlane = panels.count * channels * tileWidth
    withScratch(products * (inputPlane + gradientPlane + sumPlane)) { v in
      let z = v + products * inputPlane, sums = z + products * gradientPlane
      sums.update(repeating: 0, count: products * sumPlane)
      for first in stride(from: 0, to: tiling.count, by: chunk) {
        let tiles = first..<min(first + chunk, tiling.count)
        parallel(tiles.count, threads: threads) { range in
          WinogradPatches<Transform>(tiling, channels: channels, plane: inputPlane).transform(
            first + range.lowerBound..<first + range.upperBound, x, v + range.lowerBound * channels)
          WinogradSquare<Transform>.with { half in
            for index in range { transformGradient(first + index, z, index, WinogradSquare(half)) }
          }
        }
        parallel(products, threads: threads) { range in
          for product in range {
            multiply(
              tiles.count, v + product * inputPlane, z + product * gradientPlane, sums + product * sumPlane)
          }
        }
      }
      parallel(channels, threads: threads) { range in
        WinogradSquare<Transform>.with { half in
          for channel in range {
            transformSums(
              sums + channel * tileWidth, sumPlane, WinogradSquare(half), result + channel * outputs)
          }
        }
      }
    }
  }

  /// A g Aᵀ of one tile, for all outputs.
  private func transformGradient(
    _ tile: Int, _ z: UnsafeMutablePointer<Float>, _ index: Int, _ square: WinogradSquare<Transform>
  ) {
    let points = Transform.points, size = Transform.outputs, shape = tiling.output
    let (image, row, column) = tiling.position(tile)
    for first in stride(from: 0, to: outputs, by: Vector.scalarCount) {
      let panel = first / tileWidth, lane = first % tileWidth
      for i in 0..<size {
        let h = row &+ i &* tiling.reach.height
        let line = gradient + (((image &* shape.height &+ h) &* shape.width &+ column) &* outputs &+ first)
        let pixels = h < shape.height ? shape.width &- column : 0
        Transform.gradient(
          GradientPixels(
            first: line, step: tiling.reach.width &* outputs, pixels: pixels, reach: tiling.reach.width,
            lanes: outputs &- first),
          square.line(i))
      }
      let target = z + (panel &* tileWidth &* chunk &+ index &* panels.width(panel) &+ lane)
      for j in 0..<points {
        Transform.gradient(
          square.column(j),
          EvenVectors(first: target + j &* gradientPlane, step: points &* gradientPlane))
      }
    }
  }

  /// Adds the products of some tiles' rows of inputs and of gradients.
  private func multiply(
    _ tiles: Int, _ v: UnsafePointer<Float>, _ z: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>
  ) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: tiles) { rows in
      let rows = rows.baseAddress.unsafelyUnwrapped
      for tile in 0..<tiles { rows[tile] = v + tile &* channels }
      for panel in 0..<panels.count {
        let single = panels.width(panel) < tileWidth
        let largest = single ? weightTileChannels.single : weightTileChannels.pair
        for (channel, height) in channelCuts(channels, largest: largest) {
          WeightTileArguments(
            rows: rows, channel: channel, gradient: z + panel &* tileWidth &* chunk,
            gradientStep: panels.width(panel), pixels: tiles,
            sums: sums + (panel &* channels &+ channel) &* tileWidth, sumStep: tileWidth
          ).run(channels: height, single: single)
        }
      }
    }
  }

  /// Gᵀ u G of one channel's sums, for all outputs.
  private func transformSums(
    _ sums: UnsafeMutablePointer<Float>, _ sumPlane: Int, _ square: WinogradSquare<Transform>,
    _ result: UnsafeMutablePointer<Float>
  ) {
    let points = Transform.points, tap = channels &* outputs
    for first in stride(from: 0, to: outputs, by: Vector.scalarCount) {
      let u = sums + (first / tileWidth &* channels &* tileWidth &+ first % tileWidth)
      for j in 0..<points {
        Transform.taps(EvenVectors(first: u + j &* sumPlane, step: points &* sumPlane), square.column(j))
      }
      for i in 0..<3 {
        Transform.taps(
          square.line(i),
          EvenTails(first: result + (3 &* i &* tap &+ first), step: tap, lanes: outputs &- first))
      }
    }
  }
}

/// A row of a tile of gradients: zeros beyond the image.
private struct GradientPixels: VectorSource {
  let first: UnsafePointer<Float>
  let step: Int
  /// How many pixels of the image's row are left.
  let pixels: Int
  /// The step between the tile's columns.
  let reach: Int
  let lanes: Int

  @inline(__always) func callAsFunction(_ index: Int) -> Vector {
    index &* reach < pixels ? Tail.load(first + index &* step, lanes) : .zero
  }
}
