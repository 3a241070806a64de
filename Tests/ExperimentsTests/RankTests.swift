import Experiments
import Kernels
import Layers
import Testing

/// Facts are SciPy's 1.17 and NumPy's, by the expressions in the comments.
struct RankTests {
  static let x = [1.0, 2, 2, 3, 5, 8, 8, 8, 9, 10], y = [3.0, 1, 4, 4, 5, 9, 2, 6, 6, 10]

  /// scipy.stats.kendalltau(x, y).statistic, also of ([12, 2, 1, 12, 2], [1, 4, 7, 1, 0])
  @Test func kendall() {
    #expect(abs(Statistics.kendallTau(Self.x, Self.y) - 0.6430394361098802) < 1e-12)
    #expect(abs(Statistics.kendallTau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]) + 0.4714045207910316) < 1e-12)
    #expect(Statistics.kendallTau([1, 2, 3], [4, 5, 6]) == 1)
    #expect(Statistics.kendallTau([1, 1, 1], [4, 5, 6]).isNaN && Statistics.kendallTau([], []).isNaN)
  }

  /// scipy.stats.spearmanr(x, y).statistic, of the same
  @Test func spearman() {
    #expect(abs(Statistics.spearmanRho(Self.x, Self.y) - 0.733777780590516) < 1e-12)
    #expect(abs(Statistics.spearmanRho([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]) + 0.5407380704358752) < 1e-12)
    #expect(Statistics.ranks([3, 1, 3, 2]) == [3.5, 1, 3.5, 2])
    #expect(Statistics.spearmanRho([1], [2]).isNaN)
  }

  /// numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [0.025, 0.3, 0.975])
  @Test func quantiles() {
    for (share, wanted) in [(0.025, 1.0), (0.3, 2.1), (0.975, 8.475)] {
      #expect(abs(Statistics.quantile([3, 1, 4, 1, 5, 9, 2, 6], share) - wanted) < 1e-12)
    }
    #expect(Statistics.quantile([], 0.5).isNaN)
  }

  /// The mean of 400 numbers of variance 1/12 has a deviation of 0.0144; its interval is ± 1.96 of that, which the
  /// bootstrap's 2000 samples give to a tenth.
  @Test func bootstrap() throws {
    let values = (0..<400).map { (Double($0) + 0.5) / 400 }
    func mean(_ chosen: [Int]) -> Double { Statistics.mean(chosen.map { values[$0] }) }
    let interval = try #require(Statistics.bootstrap95(values.count, mean))
    #expect(abs(interval.lowerBound - (0.5 - 0.0283)) < 0.003 && abs(interval.upperBound - 0.5283) < 0.003)
    #expect(Statistics.bootstrap95(values.count, mean) == interval)
    #expect(Statistics.bootstrap95(values.count, seed: 1, mean) != interval)
    #expect(Statistics.bootstrap95(0, mean) == nil && Statistics.bootstrap95(2) { _ in .nan } == nil)
  }

  @Test func qualityRanksRows() throws {
    let rows = zip(Self.x, Self.y).map {
      ["snip": "\($0)", "grasp": "\(-$0)", "top1_mean": "\($1)", "params": ""]
    }
    let quality = ProxyQuality(rows + [["snip": "7"], ["snip": "nan", "top1_mean": "3"]])
    let snip = try #require(quality.rows.first { $0.proxy == "snip" })
    #expect(snip.count == 10 && abs(snip.tau - 0.6430394361098802) < 1e-12)
    let interval = try #require(snip.tauInterval)
    #expect(interval.contains(snip.tau) && interval.upperBound <= 1)
    #expect(quality.rows.first { $0.proxy == "grasp" }.map { $0.tau == -snip.tau } == true)
    #expect(quality.rows.first { $0.proxy == "params" }.map { $0.count == 0 && $0.tau.isNaN } == true)
    #expect(quality.table.text.contains("snip,higher,10,0.6430,"))
    #expect(quality.rows.allSatisfy { $0.set != nil }, "one set needs no mean")
    #expect(ProxyQuality(Array(rows.prefix(2))).rows[1].tau.isNaN, "two networks are not ranked")
  }

  /// Six sets of four networks: [models][networks] of values and accuracies.
  static let simpson: [([Double], [Double])] = [
    ([20, 27, 34, 41], [90, 90, 89, 89]), ([40, 45, 50, 55], [92.5, 92.5, 92, 92]),
    ([10, 11, 12, 13], [80.5, 80.5, 80, 80]), ([30, 34, 38, 42], [84.5, 84.5, 83, 83]),
    ([50, 54, 58, 62], [95.5, 95.5, 95, 95]), ([0, 5, 10, 15], [87.5, 87.5, 86, 86]),
  ]

  /// In each set τ is −4/√24 = −0.816; pooled it is +0.4805 (scipy.stats.kendalltau).
  @Test func setsAreNotPooled() throws {
    let all = Self.simpson.flatMap { zip($0.0, $0.1) }
    #expect(abs(Statistics.kendallTau(all.map(\.0), all.map(\.1)) - 0.4805144179877498) < 1e-12)
    let rows = Self.simpson.enumerated().flatMap { index, set in
      zip(set.0, set.1).map { x, y in
        [
          "model": "m\(index % 3)", "replace": index < 3 ? "spatial" : "all", "data": "d", "snip": "\(x)",
          "top1_mean": "\(y)",
        ]
      }
    }
    let quality = ProxyQuality(rows, columns: ["snip"])
    #expect(quality.rows.count == 7)
    #expect(quality.rows.allSatisfy { abs($0.tau + 4 / 24.0.squareRoot()) < 1e-12 })
    let sets = quality.rows.compactMap(\.set)
    #expect(sets.count == 6 && sets[4] == ["model": "m1", "replace": "all", "data": "d"])
    let mean = try #require(quality.rows.last)
    #expect(mean.set == nil && mean.sets == 6 && mean.count == 24)
    // Draws stay within their sets: none can have a positive τ, as the pool has.
    #expect(try #require(mean.tauInterval).upperBound < 0)
    #expect(quality.table.text.contains("snip,higher,24,-0.8165,"))
    #expect(quality.table.text.contains(",mean of sets,6,,,,"))
  }

  /// The mean of the means of two strata.
  @Test func strataKeepTheirSizes() throws {
    let interval = try #require(
      Statistics.bootstrap95(strata: [100, 400]) { chosen in
        #expect(chosen.map(\.count) == [100, 400] && (chosen[1].max() ?? 0) < 400)
        return Statistics.mean(chosen.map { Statistics.mean($0.map(Double.init)) })
      })
    // The variance of a mean of n numbers 0 … n − 1 is (n² − 1)/12n; 2000 draws give the ends to some tenths.
    let deviation = ((9999.0 / 1200) + (159_999.0 / 4800)).squareRoot() / 2
    #expect(abs(interval.lowerBound - (124.5 - 1.96 * deviation)) < 0.5)
    #expect(abs(interval.upperBound - (124.5 + 1.96 * deviation)) < 0.5)
  }

  /// 1000 MACs at 3.7 + 0.9 pJ, 100 additions and 10 others at 0.9; 4000 bytes are 1000 words at 640.
  @Test func energyIsCounted() {
    let cost = Cost(macs: 1000, adds: 100, otherOps: 10, bytes: 4000)
    #expect(abs(EnergyModel().arithmetic(cost) - 4699e-6) < 1e-12)
    #expect(abs(EnergyModel().memory(cost) - 0.64) < 1e-12)
  }
}
