import Foundation
import Learning
import Tensors
import Testing

@testable import Experiments

/// Intervals and verdicts of accuracies, with both chances: of seeds and of test images.
@Suite struct TestScoresTests {
  /// Which of twelve images three trainings got right, of two kernels.
  static let own = ["011111111111", "101111111111", "011111111110"]
  static let other = ["011101111011", "101011011011", "011111101010"]

  static func scores(_ rows: [String], isKnown: Bool = true) -> TestScores {
    scores(rows.map { $0.map { $0 == "1" } }, isKnown: isKnown)
  }

  static func scores(_ rows: [[Bool]], isKnown: Bool = true) -> TestScores {
    var scores = TestScores(images: rows[0].count)
    for (seed, row) in rows.enumerated() {
      let top1 = 100 * Double(row.count { $0 }) / Double(row.count)
      scores.add(seed: seed, top1: top1, isRight: isKnown ? row : nil)
    }
    return scores
  }

  private static func isNear(_ a: Double?, _ b: Double) -> Bool { a.map { abs($0 - b) < 1e-6 } ?? false }

  /// NumPy's and SciPy's numbers: with s the variance of the seeds' means over k, i that of the images' means over n
  /// (ddof=1; of the differences with + 1 and − 1 added and n + 2), the half-width is
  /// sqrt(t.isf(.025, k - 1)**2 * s + t.isf(.025, n - 1)**2 * i).
  @Test func intervalsAreNumPys() throws {
    let own = Self.scores(Self.own), other = Self.scores(Self.other)
    let accuracy = try #require(own.accuracy), interval = try #require(accuracy.interval)
    #expect(Self.isNear(accuracy.mean, 88.88888888888889) && accuracy.isByImage)
    #expect(Self.isNear(interval.lowerBound, 60.497125297285756))
    #expect(Self.isNear(interval.upperBound, 97.66301360369441))
    let difference = try #require(own.difference(from: other)), range = try #require(difference.interval)
    #expect(Self.isNear(difference.mean, 19.444444444444446) && difference.isByImage)
    #expect(Self.isNear(range.lowerBound, -13.636009469644053))
    #expect(Self.isNear(range.upperBound, 46.96934280297739))
    #expect(Self.isNear(difference.probability, 0.2374870651965462))
  }

  /// Records that do not say which images were right: i is p (1 − p) / n, of a difference the sum for both.
  @Test func withoutImagesIntervalsAreWider() throws {
    let own = Self.scores(Self.own, isKnown: false), other = Self.scores(Self.other, isKnown: false)
    let accuracy = try #require(own.accuracy), interval = try #require(accuracy.interval)
    #expect(!accuracy.isByImage && Self.isNear(interval.lowerBound, 51.89085270689403))
    #expect(Self.isNear(interval.upperBound, 98.34260928650461))
    let difference = try #require(own.difference(from: other)), range = try #require(difference.interval)
    #expect(!difference.isByImage && Self.isNear(range.lowerBound, -20.136580328103))
    #expect(Self.isNear(range.upperBound, 53.46991366143633))
    #expect(Self.isNear(difference.probability, 0.32949991551710883))
  }

  /// Where seeds agree, the images' chance is left: scipy.stats.binomtest(354, 360).proportion_ci(method="wilson") is
  /// 96.412 to 99.234; with Student's quantile of 359 degrees in place of the normal one, and 359 images since the
  /// variance is the sample's, it is 96.400 to 99.237.
  @Test func noIntervalIsNothingOrBeyondItsEnds() throws {
    let right = (0..<360).map { $0 >= 6 }
    let same = try #require(Self.scores([right, right, right]).accuracy?.interval)
    #expect(
      Self.isNear(same.lowerBound, 96.39969679320399) && Self.isNear(same.upperBound, 99.23668322313452))
    let all = try #require(
      Self.scores(Array(repeating: Array(repeating: true, count: 382), count: 3)).accuracy)
    #expect(all.mean == 100 && all.interval?.upperBound == 100)
    #expect(Self.isNear(all.interval?.lowerBound, 98.99810255625298))
    // Two seeds far apart, as after an epoch or two: Student's t alone would say 64.6 ± 322.9.
    let apart = (0..<200).map { image in [image < 78, image < 180] }
    let wide = try #require(Self.scores([apart.map { $0[0] }, apart.map { $0[1] }]).accuracy?.interval)
    #expect(wide.lowerBound >= 0 && wide.upperBound <= 100 && wide.lowerBound < 39 && wide.upperBound > 90)
    #expect(Self.scores([right]).accuracy?.interval == nil, "one seed says nothing of others")
  }

  /// The same network under two names, and one that differs in one image for each seed.
  @Test func alikeNetworksAreNeitherBetterNorWorse() throws {
    var random = Random(seed: 5)
    let rows = (0..<3).map { _ in (0..<382).map { _ in random.uniform() < 0.98 } }
    let standard = Self.scores(rows), copy = try #require(Self.scores(rows).difference(from: standard))
    #expect(copy.mean == 0 && copy.probability == 1)
    #expect(try #require(copy.interval).upperBound > 0.3, "not ± 0.0")
    let fft = rows.map { row in row.enumerated().map { $0 == 17 ? false : $1 } }
    let difference = try #require(Self.scores(fft).difference(from: standard))
    #expect(
      Verdict.verdicts([difference, copy]).allSatisfy { $0?.verdict == .open || $0?.verdict == .equivalent })
    // On 10,000 images one of them is nothing.
    let many = (0..<3).map { _ in (0..<10_000).map { _ in random.uniform() < 0.98 } }
    let changed = many.map { row in row.enumerated().map { $0 == 17 ? false : $1 } }
    let verdict = Verdict.verdicts([Self.scores(changed).difference(from: Self.scores(many))])[0]
    #expect(verdict?.verdict == .equivalent)
  }

  /// statsmodels.stats.multitest.multipletests([.01, .04, .03, .005], method="holm")
  @Test func holmsCorrection() {
    let corrected = Statistics.holm([0.01, 0.04, nil, 0.03, 0.005])
    #expect(corrected[2] == nil)
    for (value, wanted) in zip(corrected.compactMap { $0 }, [0.03, 0.06, 0.06, 0.02]) {
      #expect(abs(value - wanted) < 1e-12)
    }
  }

  /// Networks that are right where μ + image + kernel's own image + seed + noise > 0, all normal: how often tables and
  /// intervals are wrong.
  struct World {
    var seeds = 3, images = 382, kernels = 6
    /// The deviations: of what images have in common, of what a kernel makes of them, of seeds.
    var shared = 2.0, own = 0.5, seedDeviation = 0.15
    /// The accuracy of standard, and how much lower the first kernel's is.
    var accuracy = 0.97, loss = 0.0

    private var deviation: Double {
      (1 + shared * shared + own * own + seedDeviation * seedDeviation).squareRoot()
    }

    /// The value that a standard normal one stays below with a probability.
    private static func quantile(_ probability: Double) -> Double {
      // Of 10⁹ degrees of freedom, Student's distribution is the normal one.
      let t = StudentT.critical(2 * min(probability, 1 - probability), degrees: 1_000_000_000)
      return probability < 0.5 ? -t : t
    }

    func draw(_ random: inout Random) -> [TestScores] {
      let common = (0..<images).map { _ in shared * random.normal() }
      return (0...kernels).map { kernel in
        let level = deviation * Self.quantile(accuracy - (kernel == 1 ? loss : 0))
        let particular = common.map { $0 + own * random.normal() }
        return TestScoresTests.scores(
          (0..<seeds).map { _ in
            let shift = level + seedDeviation * random.normal()
            return particular.map { shift + $0 + random.normal() > 0 }
          })
      }
    }
  }

  /// Under no difference at most 5 % of tables may have a wrong verdict, and 95 % of intervals must hold the truth. Of n
  /// draws, a rate of 5 % is exceeded by three of its deviations, 3 √(0.05 · 0.95 / n), once in a thousand times; the
  /// intervals of a table share their yardstick, so that tables, not intervals, are counted as draws.
  @Test(arguments: [
    World(), World(seeds: 5, seedDeviation: 0.4), World(images: 1500, seedDeviation: 0.3, accuracy: 0.8),
    World(seeds: 2, own: 0, seedDeviation: 0),
  ]) func chanceIsSeldomTakenForADifference(_ world: World) {
    var random = Random(seed: 7), wrong = 0, outside = 0.0, missed = 0.0
    let tables = 200
    for _ in 0..<tables {
      let scores = world.draw(&random)
      let differences = scores.dropFirst().map { $0.difference(from: scores[0]) }
      let verdicts = Verdict.verdicts(differences)
      wrong += verdicts.contains { $0?.verdict == .better || $0?.verdict == .worse } ? 1 : 0
      let covering = differences.count { $0?.interval?.contains(0) == true }
      outside += 1 - Double(covering) / Double(differences.count)
      let accurate = scores.count { $0.accuracy?.interval?.contains(100 * world.accuracy) == true }
      missed += 1 - Double(accurate) / Double(scores.count)
    }
    let bound = 0.05 + 3 * (0.05 * 0.95 / Double(tables)).squareRoot()
    #expect(Double(wrong) / Double(tables) <= bound, "\(wrong) of \(tables) tables")
    #expect(outside / Double(tables) <= bound && missed / Double(tables) <= bound)
  }

  /// A difference of two points on 10,000 images with five seeds is found in nine of ten tables; and networks a point
  /// apart are called equivalent in at most 5 % of them.
  @Test func differencesAreFound() {
    var random = Random(seed: 11)
    let tables = 40
    var found = 0, alike = 0
    for _ in 0..<tables {
      let far = World(seeds: 5, images: 10_000, kernels: 2, seedDeviation: 0.05, accuracy: 0.95, loss: 0.02)
      var scores = far.draw(&random)
      var verdicts = Verdict.verdicts(scores.dropFirst().map { $0.difference(from: scores[0]) })
      found += verdicts[0]?.verdict == .worse ? 1 : 0
      let near = World(seeds: 5, images: 2000, kernels: 1, seedDeviation: 0.02, accuracy: 0.95, loss: 0.01)
      scores = near.draw(&random)
      verdicts = Verdict.verdicts(scores.dropFirst().map { $0.difference(from: scores[0]) })
      alike += verdicts[0]?.verdict == .equivalent ? 1 : 0
    }
    #expect(Double(found) >= 0.9 * Double(tables), "\(found) of \(tables)")
    #expect(Double(alike) <= (0.05 + 3 * (0.05 * 0.95 / Double(tables)).squareRoot()) * Double(tables))
  }

  @Test func hitsAreKeptAsBits() throws {
    let values = (0..<19).map { $0 % 3 == 0 }, hits = Hits(values)
    #expect(
      hits.values(19) == values && hits.values(25) == nil && hits.values(16) == nil && hits.values(-1) == nil)
    let text = try JSONEncoder().encode([hits])
    // 0b0100_1001, 0b1001_0010, 0b0000_0100
    #expect(String(decoding: text, as: UTF8.self) == "[\"SZIE\"]")
    #expect(try JSONDecoder().decode([Hits].self, from: text) == [hits])
  }
}
