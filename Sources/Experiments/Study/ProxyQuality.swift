import Foundation
import Learning

/// How well proxies order networks by their trained accuracy: rank correlations over the rows of a table.
///
/// Only networks of one set are compared with each other, those that differ in nothing but their kernel. Pooled over
/// models or data sets, a proxy would be judged by how it tells these apart, which may be the contrary of how it orders
/// the networks of each (Simpson's paradox).
package struct ProxyQuality: Sendable {
  /// What one proxy came to, in one set or in the mean of all.
  package struct Row: Sendable {
    /// The column of the proxy, or of a baseline: `params`, `macs`.
    package let proxy: String
    /// The cells that a set's networks share, by column; nil for the mean over the sets.
    package let set: [String: String]?
    /// How many sets count: 1, or in the mean all those of ``fewest`` networks or more.
    package let sets: Int
    /// The networks that have both a value and an accuracy.
    package let count: Int
    /// Kendall's τ-b, or its mean over the sets; NaN below ``fewest`` networks, or where one side is constant.
    package let tau: Double
    /// Its 95 % percentile interval by the bootstrap over the networks of each set.
    package let tauInterval: ClosedRange<Double>?
    /// Spearman's ρ.
    package let rho: Double
    /// Its interval, from the same draws.
    package let rhoInterval: ClosedRange<Double>?
  }

  /// The columns that are looked at: all proxies, then the baselines. Of each, more is said to be better.
  package static let columns = Proxy.standard.map(\.rawValue) + ["params", "macs"]

  /// The columns that define a set.
  package static let setColumns = ["group", "model", "replace", "data"]

  /// The fewest networks that are ranked: two are always in order or in reverse.
  package static let fewest = 3

  /// For each column a row for each set and, where there are several sets, one for the mean over them.
  package let rows: [Row]

  /// The quality of the proxies in the rows of a table such as networks.csv; rows without a number in a column do not
  /// count for it.
  ///
  /// - Parameters:
  ///   - accuracy: the column of the accuracy.
  ///   - seed: what the bootstrap depends on.
  package init(
    _ table: [[String: String]], columns: [String] = columns, accuracy: String = "top1_mean", seed: UInt64 = 0
  ) {
    let sets = grouped(table, by: Self.setColumns).map { _, rows in
      (cells: rows[0].filter { Self.setColumns.contains($0.key) }, rows: rows)
    }
    rows = columns.flatMap { column in
      let samples = sets.map { set in
        set.rows.compactMap { row -> (Double, Double)? in
          guard let x = row.number(column), let y = row.number(accuracy) else { return nil }
          return (x, y)
        }
      }
      let each = zip(sets, samples).map { Row(column, $0.cells, [$1], seed) }
      return sets.count > 1 ? each + [Row(column, nil, samples, seed)] : each
    }
  }

  /// The file.
  package var table: CSVTable {
    typealias Column = Experiments.Column<Row>
    func fixed(_ name: String, _ value: @escaping (Row) -> Double?) -> Column {
      Column(name) { Cell.fixed(value($0), decimals: 4) }
    }
    return CSVTable(
      rows,
      [
        Column("proxy") { $0.proxy }, Column("direction") { _ in "higher" }, Column("networks") { $0.count },
        fixed("kendall_tau") { $0.tau }, fixed("kendall_tau_low95") { $0.tauInterval?.lowerBound },
        fixed("kendall_tau_high95") { $0.tauInterval?.upperBound }, fixed("spearman_rho") { $0.rho },
        fixed("spearman_rho_low95") { $0.rhoInterval?.lowerBound },
        fixed("spearman_rho_high95") { $0.rhoInterval?.upperBound },
        Column("scope") { $0.set == nil ? "mean of sets" : "set" }, Column("sets") { $0.sets },
      ] + Self.setColumns.map { name in Column(name) { $0.set?[name] } })
  }
}

extension ProxyQuality.Row {
  /// The mean over sets, each a list of values with accuracies; of one set, its own correlations.
  fileprivate init(
    _ proxy: String, _ set: [String: String]?, _ samples: [[(Double, Double)]], _ seed: UInt64
  ) {
    let ranked = samples.filter { $0.count >= ProxyQuality.fewest }
    func statistic(_ rank: ([Double], [Double]) -> Double) -> (Double, ClosedRange<Double>?) {
      func mean(_ samples: [[(Double, Double)]]) -> Double {
        // A set, or a draw from it, in which one side is constant has no order to be judged.
        Statistics.mean(samples.map { rank($0.map(\.0), $0.map(\.1)) }.filter { !$0.isNaN })
      }
      return (
        mean(ranked),
        Statistics.bootstrap95(strata: ranked.map(\.count), seed: seed) { chosen in
          mean(zip(ranked, chosen).map { sample, positions in positions.map { sample[$0] } })
        }
      )
    }
    let (tau, tauInterval) = statistic(Statistics.kendallTau)
    let (rho, rhoInterval) = statistic(Statistics.spearmanRho)
    self.init(
      proxy: proxy, set: set, sets: ranked.count, count: (set == nil ? ranked : samples).joined().count,
      tau: tau, tauInterval: tauInterval, rho: rho, rhoInterval: rhoInterval)
  }
}
