import Foundation
import Learning

/// How often the trainings of one network were right on the test images.
package struct TestScores: Sendable {
  /// The size of the test split.
  package let images: Int
  /// By seed, the share of the images that are classified correctly.
  private var shares: [Int: Double] = [:]
  /// By seed, which images those are; trainings of older records do not say.
  private var hits: [Int: [Int8]] = [:]

  /// No trainings yet.
  package init(images: Int) { self.images = images }

  /// Adds a training.
  ///
  /// - Parameters:
  ///   - top1: in percent.
  ///   - isRight: for each image, whether it was classified correctly, if that is known.
  package mutating func add(seed: Int, top1: Double, isRight: [Bool]?) {
    shares[seed] = top1 / 100
    if let isRight, isRight.count == images { hits[seed] = isRight.map { $0 ? 1 : 0 } }
  }

  private var seeds: [Int] { shares.keys.sorted() }

  /// The mean over the trainings, with the interval for other seeds and other images; nil without trainings.
  package var accuracy: AccuracyEstimate? {
    guard !shares.isEmpty else { return nil }
    let values = seeds.compactMap { shares[$0] }, p = Statistics.mean(values)
    let rows = outcomes(of: seeds)
    guard values.count >= 2, images >= 2 else {
      return AccuracyEstimate(mean: 100 * p, interval: nil, isByImage: rows != nil)
    }
    let k = Double(values.count)
    let variance = rows.map(Outcomes.init).map { max(0, Statistics.variance($0.imageMeans) - $0.rest / k) }
    let chance = TwoChances(
      seeds: Statistics.variance(values) / k, seedDegrees: k - 1,
      // Without knowing them image by image, the largest variance that they can have.
      images: (variance ?? p * (1 - p)) / Double(images), imageDegrees: Double(images - 1),
      seedCount: values.count)
    return AccuracyEstimate(
      mean: 100 * p, interval: AccuracyEstimate.wilson(p, chance, images: images, most: k * Double(images)),
      isByImage: rows != nil)
  }

  /// The variance of the accuracy over the seeds, as a share squared; nil below two trainings.
  var seedVariance: Double? { shares.count < 2 ? nil : Statistics.variance(Array(shares.values)) }

  /// The typical variance over seeds of the networks in a table; nil for fewer than four networks, which say too
  /// little.
  ///
  /// With five seeds and six networks or more it is the median of their variances, since a network that fails at a
  /// task may vary a hundred times as much as the others. The median of a variance over few seeds is less than its
  /// mean, by (1 − 2/(9 d))³ for d degrees of freedom (Wilson and Hilferty, 1931, DOI 10.1073/pnas.17.12.684). With
  /// fewer, it is the mean, because a small variance may then belong to a failing network by chance.
  static func usualVariance(_ networks: [TestScores]) -> Double? {
    let known = networks.filter { $0.shares.count >= 2 }, fewest = known.map(\.shares.count).min() ?? 0
    guard known.count >= 4 else { return nil }
    let variances = known.compactMap(\.seedVariance).sorted()
    guard known.count >= 6, fewest >= 5 else { return Statistics.mean(variances) }
    return Statistics.median(variances) / pow(1 - 2 / (9 * Double(fewest - 1)), 3)
  }

  /// The difference in accuracy to other trainings with the same seeds; nil if they share none.
  ///
  /// - Parameter usual: the typical variance in the table, since a few seeds say little about their own.
  package func difference(from other: TestScores, usual: Double? = nil) -> AccuracyDifference? {
    let seeds = seeds.filter { other.shares[$0] != nil }
    let own = seeds.compactMap { shares[$0] }, others = seeds.compactMap { other.shares[$0] }
    guard !seeds.isEmpty, other.images == images else { return nil }
    let differences = zip(own, others).map { $0 - $1 }, mean = Statistics.mean(differences)
    let rows = outcomes(of: seeds), otherRows = other.outcomes(of: seeds)
    let isByImage = rows != nil && otherRows != nil
    guard seeds.count >= 2, images >= 2 else {
      return AccuracyDifference(mean: 100 * mean, centre: 100 * mean, chance: nil, isByImage: isByImage)
    }
    // One image is added for either side (Bonett and Price, 2012, DOI 10.3102/1076998611411915): even if no image
    // distinguishes two networks, another sample of images might.
    let k = Double(seeds.count), n = Double(images), shrunk = n / (n + 2)
    var chance = (seeds: Statistics.variance(differences) / k, degrees: k - 1)
    let variance: Double
    if let rows, let otherRows {
      let apart = (Outcomes(rows), Outcomes(otherRows)), together = Outcomes(rows, minus: otherRows)
      var rest = together.rest
      if !Self.areTwins(apart.0.rest + apart.1.rest, together.rest) {
        chance = Self.independent(own, others, usual)
        rest = apart.0.rest + apart.1.rest
      }
      variance = max(
        Statistics.variance(together.imageMeans + [1, -1]) - rest / k, Statistics.leastVariance(images))
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
        seeds: 1e4 * shrunk * shrunk * chance.seeds, seedDegrees: chance.degrees,
        images: 1e4 * variance / (n + 2), imageDegrees: n - 1, seedCount: seeds.count),
      isByImage: isByImage)
  }

  /// Whether trainings of equal seed belong together, as those of one network computed in two ways do: what chance
  /// does to single outcomes is then the same in both, and is mostly gone from their differences. Trainings of
  /// different networks share their seed's number and nothing else that matters, and are independent.
  ///
  /// The residual is independent of the compared means, so looking at it first does not distort probabilities.
  private static func areTwins(_ apart: Double, _ together: Double) -> Bool { together <= 0.5 * apart }

  /// The variance of the difference of two independent means over seeds, and its degrees of freedom (Welch, 1947).
  private static func independent(
    _ a: [Double], _ b: [Double], _ usual: Double?
  ) -> (seeds: Double, degrees: Double) {
    let k = Double(a.count), a = spread(a, usual), b = spread(b, usual)
    let u = a.variance / k, v = b.variance / k
    guard u + v > 0 else { return (0, 2 * (k - 1)) }
    return (u + v, (u + v) * (u + v) / (u * u / a.degrees + v * v / b.degrees))
  }

  /// The variance over seeds, moderated by the other networks of the table: one below the typical value is raised
  /// half way to it, one above stays, and both gain degrees of freedom. Small variances mostly arise by chance, and
  /// produce differences that do not exist (compare Smyth, 2004, DOI 10.2202/1544-6115.1027).
  private static func spread(_ values: [Double], _ usual: Double?) -> (variance: Double, degrees: Double) {
    let own = Statistics.variance(values), degrees = Double(values.count - 1)
    guard let usual else { return (own, degrees) }
    return own < usual ? ((own + usual) / 2, 2 * degrees) : (own, degrees * (own > 0 ? 1 + usual / own : 1))
  }

  /// For each seed, which images are right; nil if one of the trainings does not say.
  private func outcomes(of seeds: [Int]) -> [[Int8]]? {
    var rows: [[Int8]] = []
    for seed in seeds {
      guard let hits = hits[seed] else { return nil }
      rows.append(hits)
    }
    return rows.isEmpty ? nil : rows
  }

  /// The trainings of the lowest seeds, at most `count` of them.
  func first(_ count: Int) -> TestScores {
    var scores = TestScores(images: images)
    for seed in seeds.prefix(count) {
      scores.shares[seed] = shares[seed]
      scores.hits[seed] = hits[seed]
    }
    return scores
  }
}

extension Statistics {
  /// The variance of n zeros, a one and a minus one.
  fileprivate static func leastVariance(_ n: Int) -> Double { 2 / Double(n + 1) }
}

/// A mean accuracy in percent.
package struct AccuracyEstimate: Sendable {
  /// The mean over the trainings.
  package let mean: Double
  /// Its 95 % interval, for other seeds and other test images; nil below two trainings.
  package let interval: ClosedRange<Double>?
  /// Whether it is known which images are right; otherwise the interval assumes their largest possible variance.
  package let isByImage: Bool

  /// Wilson's interval (1927), which stays within 0 and 100 %, for as many independent images as have the variance that
  /// was found, and for Student's quantiles in place of the normal one.
  fileprivate static func wilson(
    _ p: Double, _ chance: TwoChances, images: Int, most: Double
  ) -> ClosedRange<Double> {
    let variance = chance.seeds + chance.images
    // If all are right, or all wrong, nothing varies, and the number of images is used as it is.
    let n = variance > 0 ? min(p * (1 - p) / variance, most) : Double(images)
    let z =
      variance > 0
      ? chance.halfWidth(leaving: 0.05) / variance.squareRoot()
      : StudentT.critical(0.05, degrees: chance.imageDegrees)
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
  let centre: Double
  /// Nil below two seeds.
  let chance: TwoChances?

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
