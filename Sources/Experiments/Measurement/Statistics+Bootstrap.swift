import Tensors

extension Statistics {
  /// The draws of a bootstrap. The fuzzer lowers them: it looks for traps, not for intervals.
  @TaskLocal package static var draws = 2000

  /// The value below which a share of the sample lies, with linear interpolation between neighbours, as NumPy's
  /// `quantile`; NaN of nothing.
  package static func quantile(_ values: [Double], _ share: Double) -> Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted(), place = min(max(share, 0), 1) * Double(sorted.count - 1)
    let below = Int(place), above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }

  /// The 95 % percentile interval of a statistic by the bootstrap (Efron, 1979): its 2.5 % and 97.5 % quantiles over
  /// samples drawn with replacement; nil where no sample has a value, and where both are equal, as in a perfect order of
  /// a few: that says nothing of chance.
  ///
  /// - Parameters:
  ///   - count: the size of the sample.
  ///   - statistic: computed from positions in the sample; samples for which it is NaN are left out.
  ///   - seed: the seed of the draws.
  package static func bootstrap95(
    _ count: Int, samples: Int = draws, seed: UInt64 = 0, _ statistic: ([Int]) -> Double
  ) -> ClosedRange<Double>? {
    bootstrap95(strata: [count], samples: samples, seed: seed) { statistic($0[0]) }
  }

  /// The same of several samples, the strata: each is resampled separately, so its size stays the same.
  ///
  /// - Parameter statistic: computed from positions in each of the samples.
  package static func bootstrap95(
    strata counts: [Int], samples: Int = draws, seed: UInt64 = 0, _ statistic: ([[Int]]) -> Double
  ) -> ClosedRange<Double>? {
    bootstrap95(strata: counts, samples: samples, seed: seed, all: { [statistic($0)] }).first ?? nil
  }

  /// The same of several statistics, all computed from the same draws; none where nothing can be drawn.
  static func bootstrap95(
    strata counts: [Int], samples: Int = draws, seed: UInt64 = 0, all statistics: ([[Int]]) -> [Double]
  ) -> [ClosedRange<Double>?] {
    guard !counts.isEmpty, counts.allSatisfy({ $0 > 0 }) else { return [] }
    var random = Random(seed: seed).split("bootstrap")
    let draws = (0..<samples).map { _ in
      statistics(counts.map { count in (0..<count).map { _ in random.below(count) } })
    }
    return (draws.first ?? []).indices.map { index in
      let values = draws.map { $0[index] }.filter { !$0.isNaN }.sorted()
      let low = quantile(values, 0.025), high = quantile(values, 0.975)
      return low < high ? low...high : nil
    }
  }
}
