import Learning

/// How often the trainings of one network were right on the test images.
package struct TestScores: Sendable {
  /// The size of the test split.
  package let images: Int
  /// By seed, the share of the images that is classified rightly.
  private var shares: [Int: Double] = [:]
  /// By seed, which images those are; trainings of older records do not say.
  private var hits: [Int: [Bool]] = [:]

  /// No trainings yet.
  package init(images: Int) { self.images = images }

  /// Adds a training.
  ///
  /// - Parameters:
  ///   - top1: in percent.
  ///   - isRight: for each image, whether it was classified rightly, if that is known.
  package mutating func add(seed: Int, top1: Double, isRight: [Bool]?) {
    shares[seed] = top1 / 100
    if let isRight, isRight.count == images { hits[seed] = isRight }
  }

  private var seeds: [Int] { shares.keys.sorted() }

  /// The mean over the trainings, with the interval for other seeds and other images; nil without trainings.
  package var accuracy: AccuracyEstimate? {
    guard !shares.isEmpty else { return nil }
    let values = seeds.compactMap { shares[$0] }, p = Statistics.mean(values)
    let each = meanHits(of: seeds)
    guard values.count >= 2, images >= 2 else {
      return AccuracyEstimate(mean: 100 * p, interval: nil, isByImage: each != nil)
    }
    let chance = TwoChances(
      seeds: Statistics.variance(values) / Double(values.count),
      // Without knowing them image by image, the largest variance that they can have.
      images: (each.map(Statistics.variance) ?? p * (1 - p)) / Double(images),
      seedCount: values.count, imageCount: images)
    return AccuracyEstimate(
      mean: 100 * p,
      interval: AccuracyEstimate.wilson(p, chance, most: Double(values.count * images)),
      isByImage: each != nil)
  }

  /// How much more often these trainings are right than others with the same seeds; nil where they share none.
  package func difference(from other: TestScores) -> AccuracyDifference? {
    let seeds = seeds.filter { other.shares[$0] != nil }
    let own = seeds.compactMap { shares[$0] }, others = seeds.compactMap { other.shares[$0] }
    guard !seeds.isEmpty, other.images == images else { return nil }
    let differences = zip(own, others).map { $0 - $1 }, mean = Statistics.mean(differences)
    let ownHits = meanHits(of: seeds), otherHits = other.meanHits(of: seeds)
    let isByImage = ownHits != nil && otherHits != nil
    guard seeds.count >= 2, images >= 2 else {
      return AccuracyDifference(mean: 100 * mean, centre: 100 * mean, chance: nil, isByImage: isByImage)
    }
    // One image more for either side (Bonett and Price, 2012, DOI 10.3102/1076998611411915): where no image tells two
    // networks apart, chance might still have found one that does.
    let n = Double(images), shrunk = n / (n + 2)
    let variance: Double
    if let ownHits, let otherHits {
      variance = Statistics.variance(zip(ownHits, otherHits).map { $0 - $1 } + [1, -1])
    } else {
      // As if the two were tested on different images.
      variance = [own, others].reduce(0) { sum, values in
        let p = (n * Statistics.mean(values) + 1) / (n + 2)
        return sum + p * (1 - p)
      }
    }
    return AccuracyDifference(
      mean: 100 * mean, centre: 100 * shrunk * mean,
      chance: TwoChances(
        seeds: 1e4 * shrunk * shrunk * Statistics.variance(differences) / Double(seeds.count),
        images: 1e4 * variance / (n + 2), seedCount: seeds.count, imageCount: images),
      isByImage: isByImage)
  }

  /// For each image, the share of the trainings that were right; nil if one of them does not say.
  private func meanHits(of seeds: [Int]) -> [Double]? {
    var sums = [Double](repeating: 0, count: images)
    for seed in seeds {
      guard let hits = hits[seed] else { return nil }
      for (image, isRight) in hits.enumerated() where isRight { sums[image] += 1 }
    }
    return sums.map { $0 / Double(seeds.count) }
  }
}

/// A mean accuracy in percent.
package struct AccuracyEstimate: Sendable {
  /// The mean over the trainings.
  package let mean: Double
  /// Its 95 % interval, for other seeds and other test images; nil below two trainings.
  package let interval: ClosedRange<Double>?
  /// Whether it is known which images are right; else the interval takes what they can add to chance at most.
  package let isByImage: Bool

  /// Wilson's interval (1927), which stays within 0 and 100 %, for as many independent images as have the variance that
  /// was found, and for Student's quantiles in place of the normal one.
  fileprivate static func wilson(_ p: Double, _ chance: TwoChances, most: Double) -> ClosedRange<Double> {
    let variance = chance.seeds + chance.images
    // Where all are right, or all wrong, nothing varies: then the images count as they are.
    let n = variance > 0 ? min(p * (1 - p) / variance, most) : Double(chance.imageCount)
    let z =
      variance > 0
      ? chance.halfWidth(leaving: 0.05) / variance.squareRoot()
      : StudentT.critical(0.05, degrees: chance.imageCount - 1)
    let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return 100 * max(0, centre - half)...100 * min(1, centre + half)
  }
}

/// How much more accurate one network is than another, in points of percent.
package struct AccuracyDifference: Sendable {
  /// The mean over the seeds.
  package let mean: Double
  /// Whether it is known image by image which of the two was right; else the two count as tested on different images.
  package let isByImage: Bool
  private let centre: Double
  /// Nil below two seeds.
  private let chance: TwoChances?

  fileprivate init(mean: Double, centre: Double, chance: TwoChances?, isByImage: Bool) {
    self.mean = mean
    self.centre = centre
    self.chance = chance
    self.isByImage = isByImage
  }

  /// That of a network to itself: no chance is in it.
  static func none(_ own: AccuracyEstimate) -> AccuracyDifference {
    AccuracyDifference(mean: 0, centre: 0, chance: nil, isByImage: own.isByImage)
  }

  /// The 95 % interval, for other seeds and other test images, within what is possible; nil below two seeds.
  package var interval: ClosedRange<Double>? {
    guard let half = chance?.halfWidth(leaving: 0.05) else { return nil }
    return max(-100, centre - half)...min(100, centre + half)
  }

  /// The probability of such a difference, in either direction, between networks that are equally good.
  package var probability: Double? { chance?.share(beyond: abs(centre)) }

  /// The probability of so small a difference between networks that are `margin` apart: the larger one of two
  /// one-sided tests (Schuirmann, 1987, DOI 10.1007/BF01068419).
  package func probability(beyond margin: Double) -> Double? {
    abs(centre) < margin ? chance.map { $0.share(beyond: margin - abs(centre)) / 2 } : chance.map { _ in 1 }
  }
}

extension ClosedRange<Double> {
  /// Half the width of an interval.
  var halfWidth: Double { (upperBound - lowerBound) / 2 }
}
