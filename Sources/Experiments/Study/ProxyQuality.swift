import Foundation
import Learning

/// How well proxies order networks by their trained accuracy: rank correlations over the rows of a table.
///
/// Only networks of one set are compared with each other, those that differ in nothing but their kernel. Pooled over
/// models or data sets, a proxy would be judged by how it tells these apart, which may be the contrary of how it orders
/// the networks of each (Simpson's paradox).
package struct ProxyQuality: Sendable {
  /// The quality of one proxy, in one set or as the mean of all.
  package struct Row: Sendable {
    /// The column of the proxy, or of a baseline: `params`, `macs`.
    package let proxy: String
    /// The cells that a set's networks share, by column; nil for the mean over the sets.
    package let set: [String: String]?
    /// How many sets count: 1, or in the mean all those of ``fewest`` networks or more.
    package let sets: Int
    /// The networks that have both a value and an accuracy.
    package let count: Int
    /// What was computed: of the measures that are defined, the value, or its mean over the sets, and its 95 % percentile
    /// interval by the bootstrap over the networks of each set.
    let estimates: [Measure: Estimate]

    /// Kendall's τ-b; NaN below ``fewest`` networks, or where one side is constant.
    package var tau: Double { estimates[.tau]?.value ?? .nan }
    /// Its interval.
    package var tauInterval: ClosedRange<Double>? { estimates[.tau]?.interval }
    /// Spearman's ρ.
    package var rho: Double { estimates[.rho]?.value ?? .nan }
    /// Its interval, from the same draws.
    package var rhoInterval: ClosedRange<Double>? { estimates[.rho]?.interval }
  }

  /// A number and its 95 % interval, where it has one.
  struct Estimate: Sendable {
    let value: Double
    let interval: ClosedRange<Double>?
  }

  /// The columns that are looked at: all proxies, then the baselines. Of each, more is said to be better.
  package static let columns = Proxy.standard.map(\.rawValue) + ["params", "macs"]

  /// The columns that define a set.
  package static let setColumns = ["group", "model", "replace", "data"]

  /// The fewest networks that are ranked: two are always in order or in reverse.
  package static let fewest = 3

  /// For each column a row for each set and, where there are several sets, one for the mean over them.
  package let rows: [Row]
  /// What the chance of seeds lets any proxy reach, in each set of which single trainings are known.
  let ceilings: [Row]
  /// Which operators each proxy favours, in each set that is a space.
  let operators: [OperatorBias]

  /// The quality of the proxies in the rows of a table such as networks.csv; rows without a number in a column do not
  /// count for it. Where the table has a row for each seed, the first of a network counts, because what
  /// is said of the network is the same in all.
  ///
  /// - Parameters:
  ///   - training: the rows of training.csv, for the chance of seeds.
  ///   - accuracy: the column of the accuracy.
  ///   - seed: what the bootstrap depends on.
  package init(
    _ table: [[String: String]], training: [[String: String]] = [], columns: [String] = columns,
    accuracy: String = "top1_mean", seed: UInt64 = 0
  ) {
    let sets = grouped(table, by: Self.setColumns).map { _, rows in
      (
        cells: rows[0].filter { Self.setColumns.contains($0.key) },
        rows: rows[0]["seed"] == nil ? rows : grouped(rows, by: ["kernel"]).map { $0.rows[0] }
      )
    }
    rows = columns.flatMap { column in
      let samples = sets.map { ProxySample($0.rows, column, accuracy) }
      let each = zip(sets, samples).map { Row(column, $0.cells, [$1], seed) }
      return sets.count > 1 ? each + [Row(column, nil, samples, seed)] : each
    }
    let trainings = Dictionary(grouping: training) { $0.key(Self.setColumns) }
    ceilings = sets.flatMap { set in
      SeedCeiling(set.rows, trainings[set.rows[0].key(Self.setColumns)] ?? [])?.rows(set.cells, seed) ?? []
    }
    operators = sets.flatMap { set in
      columns.flatMap { OperatorBias.all($0, in: set.rows, set.cells, accuracy, seed) }
    }
  }

  /// The file: of each proxy, and after these of what seeds let one reach.
  package var table: CSVTable {
    typealias Column = Experiments.Column<Row>
    func columns(_ measure: Measure) -> [Column] {
      func fixed(_ suffix: String, _ value: @escaping (Estimate) -> Double?) -> Column {
        Column(measure.rawValue + suffix) { Cell.fixed($0.estimates[measure].flatMap(value), decimals: 4) }
      }
      return [
        fixed("") { $0.value }, fixed("_low95") { $0.interval?.lowerBound },
        fixed("_high95") { $0.interval?.upperBound },
      ]
    }
    let plain: [Column] = [
      Column("proxy") { $0.proxy }, Column("direction") { _ in "higher" }, Column("networks") { $0.count },
    ]
    let scope: [Column] =
      [Column("scope") { $0.set == nil ? "mean of sets" : "set" }, Column("sets") { $0.sets }]
      + Self.setColumns.map { name in Column(name) { $0.set?[name] } }
    let further = Measure.allCases.filter { $0 != .tau && $0 != .rho }.flatMap(columns)
    return CSVTable(rows + ceilings, plain + columns(.tau) + columns(.rho) + scope + further)
  }
}

extension ProxyQuality.Row {
  /// The mean over sets; of one set, its own.
  init(_ proxy: String, _ set: [String: String]?, _ samples: [ProxySample], _ seed: UInt64) {
    let ranked = samples.filter { $0.x.count >= ProxyQuality.fewest }
    self.init(
      proxy: proxy, set: set, sets: ranked.count,
      count: (set == nil ? ranked : samples).reduce(0) { $0 + $1.x.count },
      estimates: ProxyQuality.Measure.estimates(of: ranked.map(\.x.count), seed) { measure, draws in
        // A set, or a draw from it, in which one side is constant has no order to be judged.
        Statistics.mean(
          zip(ranked, draws).map { $0.drawn($1).value(measure) }.filter { !$0.isNaN })
      })
  }
}
