import Foundation
import Learning

/// How well proxies order networks by their trained accuracy: rank correlations over the rows of a table.
public struct ProxyQuality: Sendable {
  /// What one proxy came to.
  public struct Row: Sendable {
    /// The column of the proxy, or of a baseline: `params`, `macs`.
    public let proxy: String
    /// The networks that have both a value and an accuracy.
    public let count: Int
    /// Kendall's τ-b; NaN below two networks, or where one side is constant.
    public let tau: Double
    /// Its 95 % percentile interval by the bootstrap over networks.
    public let tauInterval: ClosedRange<Double>?
    /// Spearman's ρ.
    public let rho: Double
    /// Its interval, from the same draws.
    public let rhoInterval: ClosedRange<Double>?
  }

  /// The columns that are looked at: all proxies, then the baselines. Of each, more is said to be better.
  public static let columns = Proxy.allCases.map(\.rawValue) + ["params", "macs"]

  /// A row for each column.
  public let rows: [Row]

  /// The quality of the proxies in the rows of a table such as networks.csv; rows without a number in a column do not
  /// count for it.
  ///
  /// - Parameters:
  ///   - accuracy: the column of the accuracy.
  ///   - seed: what the bootstrap depends on.
  public init(
    _ table: [[String: String]], columns: [String] = columns, accuracy: String = "top1_mean", seed: UInt64 = 0
  ) {
    rows = columns.map { column in
      let pairs = table.compactMap { row -> (Double, Double)? in
        guard let x = row[column].flatMap(Double.init), let y = row[accuracy].flatMap(Double.init),
          x.isFinite, y.isFinite
        else { return nil }
        return (x, y)
      }
      func statistic(_ rank: ([Double], [Double]) -> Double) -> (Double, ClosedRange<Double>?) {
        (
          rank(pairs.map(\.0), pairs.map(\.1)),
          Statistics.bootstrap95(pairs.count, seed: seed) { chosen in
            rank(chosen.map { pairs[$0].0 }, chosen.map { pairs[$0].1 })
          }
        )
      }
      let (tau, tauInterval) = statistic(Statistics.kendallTau)
      let (rho, rhoInterval) = statistic(Statistics.spearmanRho)
      return Row(
        proxy: column, count: pairs.count, tau: tau, tauInterval: tauInterval, rho: rho,
        rhoInterval: rhoInterval)
    }
  }

  /// The file.
  public var table: CSVTable {
    var table = CSVTable(columns: [
      "proxy", "direction", "networks", "kendall_tau", "kendall_tau_low95", "kendall_tau_high95",
      "spearman_rho", "spearman_rho_low95", "spearman_rho_high95",
    ])
    for row in rows {
      table.append([
        "proxy": row.proxy, "direction": "higher", "networks": "\(row.count)",
        "kendall_tau": Cell.fixed(row.tau, decimals: 4),
        "kendall_tau_low95": Cell.fixed(row.tauInterval?.lowerBound, decimals: 4),
        "kendall_tau_high95": Cell.fixed(row.tauInterval?.upperBound, decimals: 4),
        "spearman_rho": Cell.fixed(row.rho, decimals: 4),
        "spearman_rho_low95": Cell.fixed(row.rhoInterval?.lowerBound, decimals: 4),
        "spearman_rho_high95": Cell.fixed(row.rhoInterval?.upperBound, decimals: 4),
      ])
    }
    return table
  }

  /// The table for people.
  public var text: String {
    var table = TextTable(["proxy ↑", "networks", "Kendall τ", "95 %", "Spearman ρ", "95 %"])
    func interval(_ range: ClosedRange<Double>?) -> String {
      range.map {
        "\(Cell.fixed($0.lowerBound, decimals: 2)) to \(Cell.fixed($0.upperBound, decimals: 2))"
      } ?? ""
    }
    for row in rows {
      table.append([
        row.proxy, "\(row.count)", Cell.fixed(row.tau, decimals: 2), interval(row.tauInterval),
        Cell.fixed(row.rho, decimals: 2), interval(row.rhoInterval),
      ])
    }
    return table.text
      + "\n\n↑ A higher value stands for a higher accuracy. Intervals: bootstrap over the networks."
  }
}
