import Foundation

/// How far the chance of seeds keeps accuracies from ordering networks as other trainings of them would: no proxy can
/// agree with them better than that.
struct SeedCeiling {
  /// The networks, and for each seed that all of them have their accuracies.
  private let networks: [ReportData.Row]
  private let accuracies: [[Double]]

  /// Nil where fewer than two seeds are known of all networks, or there are too few of these.
  ///
  /// - Parameters:
  ///   - rows: a set's rows of networks.csv.
  ///   - training: the rows of training.csv of the same set.
  init?(_ rows: [ReportData.Row], _ training: [ReportData.Row]) {
    var tests: [String: [String: Double]] = [:]
    // Of several epochs with a test, the last counts, as in networks.csv.
    for row in training {
      guard let top1 = row.number("test_top1"), let kernel = row["kernel"], let seed = row["seed"] else {
        continue
      }
      tests[kernel, default: [:]][seed] = top1
    }
    let finished = rows.filter { $0.number("top1_mean") != nil }
    let known = finished.map { tests[$0["kernel"] ?? ""] ?? [:] }
    let seeds = (known.first ?? [:]).keys.filter { seed in known.allSatisfy { $0[seed] != nil } }.sorted()
    guard seeds.count > 1, finished.count >= ProxyQuality.fewest else { return nil }
    networks = finished
    accuracies = seeds.map { seed in known.compactMap { $0[seed] } }
  }

  /// Two rows: `another_seed` is how well the accuracy of one training orders those of another, the mean over all pairs of
  /// seeds; `perfect_proxy` what follows for a proxy that is the expected accuracy, judged by the mean over the seeds.
  func rows(_ set: [String: String], _ seed: UInt64) -> [ProxyQuality.Row] {
    let pairs = accuracies.indices.flatMap { i in
      (0..<i).map { ProxySample(networks, x: accuracies[$0], y: accuracies[i]) }
    }
    func row(
      _ name: String, _ measures: [ProxyQuality.Measure],
      _ value: (ProxyQuality.Measure, Double) -> Double = { $1 }
    ) -> ProxyQuality.Row {
      let estimates = ProxyQuality.Measure.estimates(measures, of: [networks.count], seed) { measure, draws in
        value(measure, Statistics.mean(pairs.map { $0.drawn(draws[0]).value(measure) }))
      }
      return ProxyQuality.Row(proxy: name, set: set, sets: 1, count: networks.count, estimates: estimates)
    }
    return [
      row("another_seed", ProxyQuality.Measure.allCases),
      row("perfect_proxy", [.tau, .rho]) { Self.ceiling($1, $0, seeds: accuracies.count) },
    ]
  }

  /// What a proxy that is the expected accuracy reaches, from how well one seed orders another, if both are normal:
  /// τ = 2/π · asin r and ρ = 6/π · asin (r/2) (Greiner, 1909; Pearson, 1907); k seeds have the reliability
  /// k·r / (1 + (k − 1)·r) (Spearman and Brown, 1910), whose square root is the correlation of their mean with what is
  /// expected. NaN for other measures.
  static func ceiling(_ value: Double, _ measure: ProxyQuality.Measure, seeds: Int) -> Double {
    let k = Double(seeds)
    func expected(_ r: Double) -> Double { max(0, k * r / (1 + (k - 1) * r)).squareRoot() }
    switch measure {
    case .tau: return 2 / .pi * asin(expected(sin(.pi / 2 * value)))
    case .rho: return 6 / .pi * asin(expected(2 * sin(.pi / 6 * value)) / 2)
    default: return .nan
    }
  }
}
