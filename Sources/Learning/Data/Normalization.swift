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
    let channels = images.shape[3], pixels = images.count / channels
    var means: [Float] = [], deviations: [Float] = []
    images.withPointer { values in
      for channel in 0..<channels {
        let column = values + channel
        var sum = 0.0, squares = 0.0
        for pixel in 0..<pixels { sum += Double(column[pixel &* channels]) }
        let mean = sum / Double(pixels)
        for pixel in 0..<pixels {
          let difference = Double(column[pixel &* channels]) - mean
          squares += difference * difference
        }
        let deviation = (squares / Double(pixels)).squareRoot()
        means.append(Float(mean))
        deviations.append(deviation > abs(mean) * 1e-6 ? Float(deviation) : 1)
      }
    }
    mean = means
    deviation = deviations
  }

  /// Subtracts the mean and divides by the standard deviation; false if a result is not finite.
  func apply(to images: inout Tensor) -> Bool {
    let channels = images.shape[3], pixels = images.count / channels
    return images.withMutablePointer { values in
      var isFinite = true
      for channel in 0..<channels {
        let column = values + channel, mean = mean[channel], deviation = deviation[channel]
        for pixel in 0..<pixels {
          let value = (column[pixel &* channels] - mean) / deviation
          column[pixel &* channels] = value
          isFinite = isFinite && value.isFinite
        }
      }
      return isFinite
    }
  }
}
