import Tensors

/// Products of NHWC images with factors: one for each channel of an image, or one for each pixel.
package struct Gating: Sendable {
  private let shape: FeatureShape
  private let isByChannel: Bool

  /// Images, and whether they have a factor for each channel or for each pixel.
  package init(_ shape: FeatureShape, isByChannel: Bool) {
    self.shape = shape
    self.isByChannel = isByChannel
  }

  /// y = x · factors
  package func multiply(
    _ x: UnsafePointer<Float>, _ factors: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, threads: Int
  ) {
    let channels = shape.channels, size = max(1, shape.height * shape.width)
    parallel(shape.pixels, threads: threads, grain: max(1, 16_384 / channels)) { pixels in
      for pixel in pixels {
        let x = x + pixel * channels, y = y + pixel * channels
        if isByChannel {
          let factors = factors + pixel / size * channels
          for channel in 0..<channels { y[channel] = x[channel] * factors[channel] }
        } else {
          let factor = factors[pixel]
          for channel in 0..<channels { y[channel] = x[channel] * factor }
        }
      }
    }
  }

  /// The gradient to the factors: Σ x · g over what each multiplies, pixel by pixel or channel by channel.
  package func factorGradient(
    _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, threads: Int
  ) {
    let channels = shape.channels, size = shape.height * shape.width
    guard isByChannel else {
      parallel(shape.pixels, threads: threads, grain: max(1, 16_384 / channels)) { pixels in
        for pixel in pixels {
          let x = x + pixel * channels, g = g + pixel * channels
          var sum: Float = 0
          for channel in 0..<channels { sum += x[channel] * g[channel] }
          result[pixel] = sum
        }
      }
      return
    }
    ChannelBlocks(channels).forEach(shape.batch, work: size, threads: threads) { image, first, count in
      let result = result + (image * channels + first), start = image * size * channels + first
      result.update(repeating: 0, count: count)
      for pixel in 0..<size {
        let x = x + (start + pixel * channels), g = g + (start + pixel * channels)
        for channel in 0..<count { result[channel] += x[channel] * g[channel] }
      }
    }
  }
}
