/// Each pixel's channels normalised by their own mean and variance.
package enum PixelNormalization {
  /// normalized = (x − mean) · inverse, y = normalized · scale + shift, inverse = 1 / √(variance + epsilon), pixel by pixel.
  package static func forward(
    _ x: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    normalized: UnsafeMutablePointer<Float>, y: UnsafeMutablePointer<Float>,
    inverse: UnsafeMutablePointer<Float>, pixels: Int, channels: Int, epsilon: Double, threads: Int
  ) {
    parallel(pixels, threads: threads, grain: 64) { range in
      for pixel in range {
        let x = x + pixel &* channels, normalized = normalized + pixel &* channels, y = y + pixel &* channels
        var sums = Vector.zero
        forEachPart(channels) { sums += Tail.load(x + $0, $1) }
        let mean = Vector(repeating: sums.sum() / Float(channels))
        var squares = Vector.zero
        forEachPart(channels) {
          Tail.store(Tail.load(x + $0, $1) - mean, normalized + $0, $1)
          // Lanes beyond the end are zeros again.
          let difference = Tail.load(normalized + $0, $1)
          squares = squares.fused(difference, difference)
        }
        let variance = Double(squares.sum()) / Double(channels)
        inverse[pixel] = Float(1 / (variance + epsilon).squareRoot())
        let factor = Vector(repeating: inverse[pixel])
        forEachPart(channels) {
          let value = Tail.load(normalized + $0, $1) * factor
          Tail.store(value, normalized + $0, $1)
          Tail.store(Tail.load(shift + $0, $1).fused(value, Tail.load(scale + $0, $1)), y + $0, $1)
        }
      }
    }
  }
}
