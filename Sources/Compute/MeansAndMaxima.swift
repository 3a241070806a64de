import Tensors

/// Means and largest values of NHWC images: of each channel over an image's pixels, or of each pixel over its
/// channels.
///
/// A maximum is given by its position among all values; the first one wins a tie.
package enum MeansAndMaxima {
  /// Of each image and channel over the pixels: `[image][channel]`.
  package static func overPixels(
    _ x: UnsafePointer<Float>, _ shape: FeatureShape, means: UnsafeMutablePointer<Float>,
    winners: UnsafeMutablePointer<Int>, threads: Int
  ) {
    let channels = shape.channels, size = shape.height * shape.width
    ChannelBlocks(channels).forEach(shape.batch, work: 2 * size, threads: threads) { image, first, count in
      let means = means + (image * channels + first), winners = winners + (image * channels + first)
      let start = image * size * channels + first
      means.update(repeating: 0, count: count)
      for channel in 0..<count { winners[channel] = start + channel }
      for pixel in 0..<size {
        let offset = start + pixel * channels, values = x + offset
        for channel in 0..<count {
          means[channel] += values[channel]
          if values[channel] > x[winners[channel]] { winners[channel] = offset + channel }
        }
      }
      for channel in 0..<count { means[channel] /= Float(size) }
    }
  }

  /// The gradient to x from those to the means and to the largest values.
  package static func overPixelsGradient(
    means: UnsafePointer<Float>, largest: UnsafePointer<Float>, winners: UnsafePointer<Int>,
    _ dx: UnsafeMutablePointer<Float>, _ shape: FeatureShape, threads: Int
  ) {
    let channels = shape.channels, size = shape.height * shape.width
    ChannelBlocks(channels).forEach(shape.batch, work: size, threads: threads) { image, first, count in
      let place = image * channels + first
      for pixel in 0..<size {
        let dx = dx + ((image * size + pixel) * channels + first)
        for channel in 0..<count { dx[channel] = means[place &+ channel] / Float(size) }
      }
      for index in place..<place + count { dx[winners[index]] += largest[index] }
    }
  }

  /// Of each pixel over its channels: y is `[pixel][mean, largest]`.
  package static func overChannels(
    _ x: UnsafePointer<Float>, _ shape: FeatureShape, _ y: UnsafeMutablePointer<Float>,
    winners: UnsafeMutablePointer<Int>, threads: Int
  ) {
    let channels = shape.channels
    parallel(shape.pixels, threads: threads, grain: max(1, 16_384 / channels)) { pixels in
      for pixel in pixels {
        let first = pixel * channels
        var sum: Float = 0, winner = first
        for index in first..<first + channels {
          sum += x[index]
          if x[index] > x[winner] { winner = index }
        }
        winners[pixel] = winner
        y[2 * pixel] = sum / Float(channels)
        y[2 * pixel + 1] = x[winner]
      }
    }
  }

  /// The gradient to x from that to y.
  package static func overChannelsGradient(
    _ g: UnsafePointer<Float>, winners: UnsafePointer<Int>, _ dx: UnsafeMutablePointer<Float>,
    _ shape: FeatureShape, threads: Int
  ) {
    let channels = shape.channels
    parallel(shape.pixels, threads: threads, grain: max(1, 16_384 / channels)) { pixels in
      for pixel in pixels {
        (dx + pixel * channels).update(repeating: g[2 * pixel] / Float(channels), count: channels)
        dx[winners[pixel]] += g[2 * pixel + 1]
      }
    }
  }
}
