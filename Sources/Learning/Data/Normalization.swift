import Tensors

/// The mean and the standard deviation of each channel of a set of images.
struct Normalization {
  let mean: [Float]
  /// 1 where a channel is constant up to rounding.
  let deviation: [Float]

  /// What intensity 0 becomes, per channel.
  var zero: [Float] { zip(mean, deviation).map { -$0 / $1 } }

  /// The statistics of images in NHWC order, in double precision and one fixed order of summation.
  init(_ images: Tensor) {
    let means = Normalization.means(images, around: Array(repeating: 0, count: images.shape[3]), power: 1)
    let variances = Normalization.means(images, around: means, power: 2)
    mean = means.map(Float.init)
    deviation = zip(means, variances).map { mean, variance in
      variance.squareRoot() > abs(mean) * 1e-6 ? Float(variance.squareRoot()) : 1
    }
  }

  /// Subtracts the mean and divides by the standard deviation; false if a result is not finite.
  func apply(to images: inout Tensor) -> Bool {
    let shape = FeatureShape(images)
    let channels = shape.channels, pixels = shape.height * shape.width
    return images.withMutablePointer { values in
      var isFinite = true
      for image in 0..<shape.batch {
        for channel in 0..<channels {
          let plane = values + (image * pixels * channels + channel)
          let mean = mean[channel], deviation = deviation[channel]
          for pixel in 0..<pixels {
            let value = (plane[pixel &* channels] - mean) / deviation
            plane[pixel &* channels] = value
            isFinite = isFinite && value.isFinite
          }
        }
      }
      return isFinite
    }
  }

  /// The same for the images of a split, if there is one; true if there is none.
  func apply(to examples: inout Examples?) -> Bool {
    guard var changed = examples.take() else { return true }
    let isFinite = apply(to: &changed.images)
    examples = changed
    return isFinite
  }

  /// Per channel, the mean of x − center, or of its square.
  private static func means(_ images: Tensor, around center: [Double], power: Int) -> [Double] {
    let shape = FeatureShape(images)
    let channels = shape.channels, pixels = shape.height * shape.width
    var sums = Array(repeating: 0.0, count: channels)
    images.withPointer { values in
      // Image by image, so that the channels of one find it in the cache.
      for image in 0..<shape.batch {
        for channel in 0..<channels {
          let plane = values + (image * pixels * channels + channel)
          let center = center[channel]
          var sum = 0.0
          for pixel in 0..<pixels {
            let difference = Double(plane[pixel &* channels]) - center
            sum += power == 2 ? difference * difference : difference
          }
          sums[channel] += sum
        }
      }
    }
    return sums.map { $0 / Double(shape.batch * pixels) }
  }
}
