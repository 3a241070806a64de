import Tensors

/// The largest sum of a window and its weights, separately for each channel: y[p, c] = max over taps of
/// x[p · stride + t · dilation − padding, c] + w[t, c], where padding counts as zeros. Vectorised over channels; `w` is
/// `[tap][channel]`.
package enum DepthwiseMaxPlus {
  /// y, after its epilogue.
  package static func forward(
    _ shape: DepthwiseShape, x: UnsafePointer<Float>, weights w: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, epilogue: EpiloguePointers, threads: Int
  ) {
    let output = shape.output, channels = output.channels
    // The last vector of channels overlaps the one before it, if there is one.
    let last = max(0, channels - Vector.scalarCount)
    parallel(output.batch * output.height, threads: threads) { lines in
      for line in lines {
        let (image, row) = line.quotientAndRemainder(dividingBy: output.height)
        for column in 0..<output.width {
          let target = y + (line * output.width + column) * channels
          for place in stride(from: 0, to: channels, by: Vector.scalarCount) {
            let channel = min(place, last), lanes = channels &- channel
            var best = Vector(repeating: -.infinity)
            forEachTap(shape, image: image, row: row, column: column) { tap, pixel in
              best = best.maximum(term(x, w, tap, pixel, channel, lanes, channels))
            }
            if let bias = epilogue.bias { best += Tail.load(bias + channel, lanes) }
            epilogue.store(best, target + channel, lanes)
          }
        }
      }
    }
  }

  /// dx and dw: an output passes its gradient on to the x and the w of its first largest term.
  ///
  /// - Parameters:
  ///   - dx: nil if it is not needed. Each image and vector of channels is one thread's.
  ///   - dw: nil if it is not needed. Each vector of channels is one thread's, and its images follow one another.
  package static func gradients(
    _ shape: DepthwiseShape, g: UnsafePointer<Float>, x: UnsafePointer<Float>,
    weights w: UnsafePointer<Float>,
    dx: UnsafeMutablePointer<Float>?, dw: UnsafeMutablePointer<Float>?, threads: Int
  ) {
    let input = shape.input, output = shape.output, channels = output.channels
    dx?.update(repeating: 0, count: input.count)
    dw?.update(repeating: 0, count: shape.kernel.height * shape.kernel.width * channels)
    let vectors = (channels + Vector.scalarCount - 1) / Vector.scalarCount
    let images = dw == nil ? 1 : output.batch
    parallel(vectors * output.batch / max(images, 1), threads: threads) { parts in
      for part in parts {
        let channel = part % vectors * Vector.scalarCount, lanes = min(Vector.scalarCount, channels - channel)
        let first = part / vectors * images
        for image in first..<first + images {
          for row in 0..<output.height {
            for column in 0..<output.width {
              var best = Vector(repeating: -.infinity), number = Numbers(repeating: 0)
              forEachTap(shape, image: image, row: row, column: column) { tap, pixel in
                let value = term(x, w, tap, pixel, channel, lanes, channels)
                let isLarger = value .> best
                best.replace(with: value, where: isLarger)
                number.replace(with: Int32(truncatingIfNeeded: tap), where: isLarger)
              }
              let place = (image &* output.height &+ row) &* output.width &+ column
              let source = g + place &* channels + channel
              for lane in 0..<lanes {
                let tap = Int(number[lane]), gradient = source[lane]
                if let dw { dw[tap &* channels &+ channel &+ lane] += gradient }
                if let dx, let pixel = pixel(shape, image: image, row: row, column: column, tap: tap) {
                  dx[pixel &* channels &+ channel &+ lane] += gradient
                }
              }
            }
          }
        }
      }
    }
  }

  private typealias Numbers = Vector.MaskStorage

  @inline(__always)
  private static func term(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ tap: Int, _ pixel: Int?, _ channel: Int,
    _ lanes: Int, _ channels: Int
  ) -> Vector {
    let weight = Tail.load(w + (tap &* channels &+ channel), lanes)
    guard let pixel else { return weight }
    return Tail.load(x + (pixel &* channels &+ channel), lanes) + weight
  }

  /// The pixel that an output's tap reads, counted over all images; nil in the padding.
  @inline(__always)
  private static func pixel(_ shape: DepthwiseShape, image: Int, row: Int, column: Int, tap: Int) -> Int? {
    let (tapRow, tapColumn) = tap.quotientAndRemainder(dividingBy: shape.kernel.width)
    let y = row &* shape.stride.height &- shape.top &+ tapRow &* shape.dilation.height
    let x = column &* shape.stride.width &- shape.left &+ tapColumn &* shape.dilation.width
    guard y >= 0, y < shape.input.height, x >= 0, x < shape.input.width else { return nil }
    return (image &* shape.input.height &+ y) &* shape.input.width &+ x
  }

  /// Visits the taps of an output's window in order, with the pixels that they read; nil in the padding.
  @inline(__always)
  private static func forEachTap(
    _ shape: DepthwiseShape, image: Int, row: Int, column: Int, _ body: (_ tap: Int, _ pixel: Int?) -> Void
  ) {
    let top = row &* shape.stride.height &- shape.top, left = column &* shape.stride.width &- shape.left
    var tap = 0
    for tapRow in 0..<shape.kernel.height {
      let y = top &+ tapRow &* shape.dilation.height
      let line = (image &* shape.input.height &+ y) &* shape.input.width
      let isInside = y >= 0 && y < shape.input.height
      for tapColumn in 0..<shape.kernel.width {
        let x = left &+ tapColumn &* shape.dilation.width
        body(tap, isInside && x >= 0 && x < shape.input.width ? line &+ x : nil)
        tap = tap &+ 1
      }
    }
  }
}
