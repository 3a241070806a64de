import Foundation

/// How far chance moves a mean over trainings and test images.
///
/// Both were drawn: other seeds, and other images of the same kind, would have given another mean. A mean over k seeds
/// and n images of a quantity with effects of both has the variance σ²(seeds)/k + σ²(images)/n, but for the part of
/// single outcomes, which is counted in either.
struct TwoChances {
  /// The variance of the mean over the seeds.
  let seeds: Double
  /// The variance of the mean over the images.
  let images: Double
  /// How many seeds and images there were; at least two of both.
  let seedCount: Int, imageCount: Int

  /// Half the width of the interval that chance leaves with probability `share`: the half-widths that each source has
  /// by itself, by Student's t, in quadrature.
  func halfWidth(leaving share: Double) -> Double {
    let s = StudentT.critical(share, degrees: seedCount - 1)
    let i = StudentT.critical(share, degrees: imageCount - 1)
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
