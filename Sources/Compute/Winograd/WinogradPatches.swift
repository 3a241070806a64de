/// The transform of the tiles' inputs.
struct WinogradPatches<Transform: WinogradTransform> {
  let tiling: WinogradTiling
  let channels: Int
  /// Floats from one product's matrix to the next.
  let plane: Int

  init(_ tiling: WinogradTiling, channels: Int, plane: Int) {
    self.tiling = tiling
    self.channels = channels
    self.plane = plane
  }

  /// Bᵀ d B of some tiles, for all channels; the first writes to `v`.
  func transform(_ tiles: Range<Int>, _ x: UnsafePointer<Float>, _ v: UnsafeMutablePointer<Float>) {
    let points = Transform.points, products = points &* points, shape = tiling.input
    let whole = channels / Vector.scalarCount * Vector.scalarCount
    withScratch(channels) { zeros in
      zeros.update(repeating: 0, count: channels)
      WinogradSquare<Transform>.with { half in
        withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: products) { pixels in
          let pixels = pixels.baseAddress.unsafelyUnwrapped, square = WinogradSquare<Transform>(half)
          for tile in tiles {
            let (image, outputRow, outputColumn) = tiling.position(tile)
            let top = outputRow &- tiling.top, left = outputColumn &- tiling.left
            for i in 0..<points {
              let h = top &+ i &* tiling.reach.height
              let isInside = h >= 0 && h < shape.height
              let line = x + (image &* shape.height &+ h) &* shape.width &* channels
              for j in 0..<points {
                let w = left &+ j &* tiling.reach.width
                pixels[i &* points &+ j] =
                  isInside && w >= 0 && w < shape.width ? line + w &* channels : UnsafePointer(zeros)
              }
            }
            let target = v + (tile &- tiles.lowerBound) &* channels
            for channel in stride(from: 0, to: whole, by: Vector.scalarCount) {
              for j in 0..<points {
                Transform.input(
                  PixelVectors(pixels: pixels + j, step: points, channel: channel), square.column(j))
              }
              for i in 0..<points {
                Transform.input(
                  square.line(i),
                  EvenVectors(first: target + (i &* points &* plane &+ channel), step: plane))
              }
            }
            guard whole < channels else { continue }
            let lanes = channels &- whole
            for j in 0..<points {
              Transform.input(
                PixelTails(pixels: pixels + j, step: points, channel: whole, lanes: lanes), square.column(j))
            }
            for i in 0..<points {
              Transform.input(
                square.line(i),
                EvenTails(
                  first: target + (i &* points &* plane &+ whole), step: plane, lanes: lanes))
            }
          }
        }
      }
    }
  }
}

/// A tile of which one direction is transformed: points × points vectors.
struct WinogradSquare<Transform: WinogradTransform> {
  private let first: UnsafeMutablePointer<Float>

  @inline(__always) init(_ first: UnsafeMutablePointer<Float>) { self.first = first }

  /// Room for a square and for a row of results, from the pool: too much for the stack.
  static func with(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    withScratch((Transform.points + 1) * Transform.points * Vector.scalarCount, body)
  }

  @inline(__always) func line(_ i: Int) -> EvenVectors {
    EvenVectors(first: first + i &* Transform.points &* Vector.scalarCount, step: Vector.scalarCount)
  }

  @inline(__always) func column(_ j: Int) -> EvenVectors {
    EvenVectors(first: first + j &* Vector.scalarCount, step: Transform.points &* Vector.scalarCount)
  }
}
