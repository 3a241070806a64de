import Tensors

/// Max pooling over NHWC images; parallel over rows of outputs.
///
/// - Parameters:
///   - padding: pixels around the image that are never the largest.
///   - winners: for each output, the position in x of its largest value, or nil if not needed; NaN propagates.
package func maximumPooling(
  _ x: UnsafePointer<Float>, _ input: FeatureShape, _ y: UnsafeMutablePointer<Float>, _ output: FeatureShape,
  size: Int, stride: Int, padding: Int, winners: UnsafeMutablePointer<Int32>?, threads: Int
) {
  let channels = input.channels
  parallel(output.batch * output.height, threads: threads) { lines in
    for line in lines {
      let image = line / output.height, top = line % output.height * stride - padding
      let rows = max(top, 0)..<max(min(top + size, input.height), max(top, 0))
      for column in 0..<output.width {
        let left = column * stride - padding
        let columns = max(left, 0)..<max(min(left + size, input.width), max(left, 0))
        let target = (line &* output.width &+ column) &* channels
        for channel in Swift.stride(from: 0, to: channels, by: Vector.scalarCount) {
          let lanes = channels &- channel
          var best = Vector(repeating: -.infinity)
          var winner = VectorIndices(
            repeating: Int32(
              truncatingIfNeeded: ((image &* input.height &+ rows.lowerBound) &* input.width
                &+ columns.lowerBound) &* channels &+ channel))
          for row in rows {
            for pixel in columns {
              let source = ((image &* input.height &+ row) &* input.width &+ pixel) &* channels &+ channel
              let value = Tail.load(x + source, lanes)
              // NaN wins and stays.
              let wins = (value .> best) .| (value .!= value)
              best.replace(with: value, where: wins)
              if winners != nil {
                winner.replace(with: VectorIndices(repeating: Int32(truncatingIfNeeded: source)), where: wins)
              }
            }
          }
          Tail.store(best, y + target + channel, lanes)
          if let winners {
            for lane in 0..<min(lanes, Vector.scalarCount) {
              winners[target &+ channel &+ lane] = winner[lane] &+ Int32(truncatingIfNeeded: lane)
            }
          }
        }
      }
    }
  }
}

/// The gradient to the input of a maximum pooling: each output's goes to its largest value; dx starts as zeros.
package func maximumPoolingGradient(
  _ g: UnsafePointer<Float>, winners: UnsafePointer<Int32>, _ dx: UnsafeMutablePointer<Float>,
  _ output: FeatureShape, threads: Int
) {
  let channels = output.channels, size = output.height * output.width
  // Windows overlap, but neither images nor channels do.
  ChannelBlocks(channels).forEach(output.batch, work: size, threads: threads) { image, first, count in
    for pixel in image * size..<(image + 1) * size {
      let start = pixel * channels + first
      for index in start..<start + count { dx[Int(winners[index])] += g[index] }
    }
  }
}
