import Foundation

/// The variance of a mean over trainings and test images.
///
/// Both were drawn: other seeds, and other images of the same kind, would have given another mean. A mean over k
/// seeds and n images of a quantity with effects of both has the variance σ²(seeds)/k + σ²(images)/n + σ²(rest)/(kn).
/// The variance of the seeds' means over k has the rest in it, so that of the images is taken without it.
struct TwoChances {
  /// The variance of the mean over the seeds, and its degrees of freedom.
  let seeds: Double, seedDegrees: Double
  /// The variance of the mean over the images, and its degrees of freedom.
  let images: Double, imageDegrees: Double
  /// How many seeds there were.
  let seedCount: Int

  /// The variance that a single seed would have on as many images.
  var single: Double { Double(seedCount) * seeds + images }

  /// Half the width of the interval that chance leaves with probability `share`: the half-widths of each source alone, by
  /// Student's t, added in quadrature.
  func halfWidth(leaving share: Double) -> Double {
    let s = StudentT.critical(share, degrees: seedDegrees)
    let i = StudentT.critical(share, degrees: imageDegrees)
    return (s * s * seeds + i * i * images).squareRoot()
  }

  /// The probability with which chance moves the mean by `distance` or more, in either direction.
  func share(beyond distance: Double) -> Double {
    // What is nearer to 1, or to 0, than this is said to be it.
    let most = 0.9999, least = 1e-12
    guard distance > halfWidth(leaving: most) else { return 1 }
    guard distance < halfWidth(leaving: least) else { return 0 }
    return exp(
      Statistics.root(from: log(least), to: log(most)) { log(halfWidth(leaving: exp($0)) / distance) })
  }
}

/// Outcomes of trainings on test images, decomposed by an analysis of variance into seeds, images and residual.
struct Outcomes {
  /// The mean over the images, by seed.
  let seedMeans: [Double]
  /// The mean over the seeds, by image.
  let imageMeans: [Double]
  /// The variance of what neither the seed nor the image explains, in a single outcome.
  let rest: Double

  /// The outcomes of at least two seeds on at least two images: a row for each seed.
  init(_ rows: [[Int8]]) {
    let k = Double(rows.count), images = rows[0].count, n = Double(images)
    var sums = [Int](repeating: 0, count: images), totals: [Int] = [], squares = 0
    for row in rows {
      var total = 0
      for (image, value) in row.enumerated() {
        sums[image] += Int(value)
        total += Int(value)
        squares += Int(value) * Int(value)
      }
      totals.append(total)
    }
    seedMeans = totals.map { Double($0) / n }
    imageMeans = sums.map { Double($0) / k }
    let mean = Statistics.mean(seedMeans)
    let explained =
      n * (k - 1) * Statistics.variance(seedMeans) + k * (n - 1) * Statistics.variance(imageMeans)
    rest = max(0, Double(squares) - k * n * mean * mean - explained) / ((k - 1) * (n - 1))
  }

  /// Differences of outcomes, seed by seed and image by image.
  init(_ rows: [[Int8]], minus others: [[Int8]]) {
    self.init(zip(rows, others).map { zip($0, $1).map { $0 - $1 } })
  }
}
