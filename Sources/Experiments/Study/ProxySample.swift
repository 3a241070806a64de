extension ProxyQuality {
  /// What is asked of a proxy; raw values are columns of proxy_quality.csv.
  enum Measure: String, CaseIterable, Sendable {
    /// Kendall's τ-b and Spearman's ρ with the accuracy.
    case tau = "kendall_tau"
    case rho = "spearman_rho"
    /// The same with parameters and MACs partialled out, those of them that are not the proxy itself.
    case partialTau = "partial_tau"
    case partialRho = "partial_rho"
    /// τ-b over pairs of networks in the same quarter by parameters, or by MACs.
    case tauWithinParams = "stratified_tau_params"
    case tauWithinMACs = "stratified_tau_macs"
    /// τ-b within the tenth of networks that are most accurate.
    case topTau = "top_tau"
    /// The share of the most accurate tenth that is among the tenth that the proxy ranks highest; by chance a tenth.
    case topShare = "top_share"

    /// Whether only many networks can answer.
    var needsMany: Bool { self != .tau && self != .rho }

    /// The fewest networks of which all is asked.
    static let many = 20

    /// Measures of some sets, with intervals of the same draws.
    ///
    /// - Parameter value: of a measure, from positions in each set.
    static func estimates(
      _ measures: [Measure] = allCases, of counts: [Int], _ seed: UInt64,
      _ value: (Measure, [[Int]]) -> Double
    ) -> [Measure: Estimate] {
      let wanted = measures.filter { !$0.needsMany || counts.contains { $0 >= many } }
      let intervals = Statistics.bootstrap95(
        strata: counts, seed: seed, all: { draws in wanted.map { value($0, draws) } })
      let whole = counts.map { Array(0..<$0) }
      let estimates = wanted.enumerated().map { index, measure in
        (
          measure,
          Estimate(value: value(measure, whole), interval: intervals.isEmpty ? nil : intervals[index])
        )
      }
      return Dictionary(uniqueKeysWithValues: estimates)
    }
  }
}

/// The networks of a set: a proxy's values, their accuracies and what they cost.
struct ProxySample {
  private(set) var x: [Double]
  private(set) var y: [Double]
  /// What is partialled out.
  private var controls: [[Double]]
  /// The quarters by parameters and by MACs, of the whole set; empty where the costs are not known.
  private var params: [Int], macs: [Int]
  private let isLarge: Bool

  /// The rows that have a number for the proxy and an accuracy.
  init(_ rows: [ReportData.Row], _ proxy: String, _ accuracy: String) {
    let known = rows.filter { $0.number(proxy) != nil && $0.number(accuracy) != nil }
    self.init(
      known, x: known.compactMap { $0.number(proxy) }, y: known.compactMap { $0.number(accuracy) },
      besides: proxy)
  }

  /// Some rows' networks, with values of their own.
  init(_ rows: [ReportData.Row], x: [Double], y: [Double], besides proxy: String = "") {
    func costs(_ column: String) -> [Double]? {
      let values = rows.compactMap { $0.number(column) }
      return values.count == rows.count ? values : nil
    }
    (self.x, self.y) = (x, y)
    controls = ["params", "macs"].filter { $0 != proxy }.compactMap(costs)
    params = costs("params").map(Statistics.quarters) ?? []
    macs = costs("macs").map(Statistics.quarters) ?? []
    isLarge = rows.count >= ProxyQuality.Measure.many
  }

  /// The networks at some positions, in the same quarters.
  func drawn(_ positions: [Int]) -> ProxySample {
    func at<Value>(_ values: [Value]) -> [Value] { values.isEmpty ? [] : positions.map { values[$0] } }
    var copy = self
    (copy.x, copy.y, copy.controls) = (at(x), at(y), controls.map(at))
    (copy.params, copy.macs) = (at(params), at(macs))
    return copy
  }

  /// A measure; NaN where it is not defined, or asked of too few networks.
  func value(_ measure: ProxyQuality.Measure) -> Double {
    guard isLarge || !measure.needsMany else { return .nan }
    let tenth = (x.count + 5) / 10
    switch measure {
    case .tau: return Statistics.kendallTau(x, y)
    case .rho: return Statistics.spearmanRho(x, y)
    case .partialTau:
      return controls.isEmpty
        ? .nan : Statistics.partial(x, y, given: controls) { Statistics.kendallTau($0, $1) }
    case .partialRho:
      return controls.isEmpty ? .nan : Statistics.partial(x, y, given: controls, Statistics.spearmanRho)
    case .tauWithinParams: return params.isEmpty ? .nan : Statistics.kendallTau(x, y, within: params)
    case .tauWithinMACs: return macs.isEmpty ? .nan : Statistics.kendallTau(x, y, within: macs)
    case .topTau:
      let best = zip(y.indices, Statistics.top(tenth, of: y)).filter { $1 > 0 }.map(\.0)
      return Statistics.kendallTau(best.map { x[$0] }, best.map { y[$0] })
    case .topShare:
      return zip(Statistics.top(tenth, of: x), Statistics.top(tenth, of: y)).reduce(0) { $0 + $1.0 * $1.1 }
        / Double(tenth)
    }
  }
}
