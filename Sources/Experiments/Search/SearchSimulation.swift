import Foundation
import Tensors

/// How well methods of search would have done on a table that is complete: nothing is trained.
package struct SearchSimulation {
  /// What a method has found after so many evaluations, over all repeats.
  struct Row {
    let method: NetworkSearch.Method
    let evaluations: Int
    /// The mean accuracy of the network that it would choose, in percent, and half the width of its 95 % interval.
    let mean: Double, interval: Double
    /// Bounds of what 95 % of the repeats find.
    let low: Double, high: Double
    /// The share of repeats that are within half a point of the best network.
    let close: Double
  }

  let rows: [Row]
  private let best: (kernel: String, accuracy: Double)
  private let networks: Int
  private let repeats: Int

  /// Searches a table again and again.
  ///
  /// - Parameters:
  ///   - path: a networks.csv, with its training.csv beside it.
  ///   - budgets: what chosen networks may cost, such as `latency=1.2x`.
  ///   - evaluations: at most so many whole trainings for each search; nil for a quarter of the networks within the budgets.
  package init(table path: String, budgets: [String], evaluations: Int?, repeats: Int, seed: UInt64) throws {
    let table = try SearchTable(path), allowed = try table.networks(within: budgets)
    let limit = evaluations.map { min($0, allowed.count) } ?? max(10, allowed.count / 4)
    let accuracies = Dictionary(uniqueKeysWithValues: allowed.map { ($0, table.accuracy($0)) })
    let top = accuracies.max { ($0.value, $1.key.description) < ($1.value, $0.key.description) }
    let highest = top?.value ?? .nan
    best = (kernel: top.flatMap { table.rows[$0.key]?["kernel"] } ?? "", accuracy: highest)
    networks = allowed.count
    self.repeats = repeats
    var rows: [Row] = []
    for method in NetworkSearch.Method.allCases where method != .halving || table.hasCurves {
      var found = Array(repeating: [Double](), count: limit)
      for number in 0..<repeats {
        try Cancellation.check()
        let source = Random(seed: seed).split("\(method.rawValue) \(number)")
        var seeds = source.split("seeds")
        var search = NetworkSearch(
          kernels: table.kernels.count, places: table.places, random: source, isAllowed: allowed.contains
        ) { network, share in table.evaluation(network, share, using: &seeds) }
        let steps = try search.run(method, evaluations: limit)
        var next = 0, accuracy = Double.nan
        for count in 1...limit {
          while next < steps.count, steps[next].spent <= Double(count) + 1e-9 {
            accuracy = accuracies[steps[next].best] ?? .nan
            next += 1
          }
          if accuracy.isFinite { found[count - 1].append(accuracy) }
        }
      }
      for (index, values) in found.enumerated() where !values.isEmpty {
        let sorted = values.sorted()
        func quantile(_ share: Double) -> Double { sorted[Int((share * Double(sorted.count - 1)).rounded())] }
        rows.append(
          Row(
            method: method, evaluations: index + 1, mean: Statistics.mean(values),
            interval: Statistics.confidence95(values), low: quantile(0.025), high: quantile(0.975),
            close: Double(values.count { highest - $0 <= 0.5 }) / Double(values.count)))
      }
    }
    self.rows = rows
  }

  /// The file: a row for each method and number of evaluations.
  package var table: CSVTable {
    typealias Column = Experiments.Column<Row>
    return CSVTable(
      rows,
      [
        Column("method") { $0.method.rawValue }, Column("evaluations") { $0.evaluations },
        Column("top1_mean") { Cell.fixed($0.mean, decimals: 3) },
        Column("top1_ci95") { Cell.fixed($0.interval, decimals: 3) },
        Column("top1_low95") { Cell.fixed($0.low, decimals: 3) },
        Column("top1_high95") { Cell.fixed($0.high, decimals: 3) },
        Column("within_half_a_point") { Cell.fixed($0.close, decimals: 3) },
        Column("best") { _ in Cell.fixed(best.accuracy, decimals: 3) }, Column("repeats") { _ in repeats },
      ])
  }

  /// The table for people.
  package var text: String {
    typealias Column = Experiments.Column<Row>
    let limit = rows.map(\.evaluations).max() ?? 0
    let shown = Set([1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].filter { $0 < limit } + [limit])
    let text = TextTable(
      rows.filter { shown.contains($0.evaluations) },
      [
        Column("method") { $0.method.rawValue }, Column("evaluations") { $0.evaluations },
        Column("top-1 % found") { Cell.fixed($0.mean, decimals: 2) },
        Column("± 95 %") { Cell.fixed($0.interval, decimals: 2) },
        Column("95 % of repeats") {
          "\(Cell.fixed($0.low, decimals: 2)) to \(Cell.fixed($0.high, decimals: 2))"
        },
        Column("within ½ point") { "\(Cell.fixed(100 * $0.close, decimals: 0)) %" },
      ]
    ).text
    let reached = NetworkSearch.Method.allCases.compactMap { method -> String? in
      let own = rows.filter { $0.method == method }
      guard !own.isEmpty else { return nil }
      let first = own.first { best.accuracy - $0.mean <= 0.5 }
      return
        "\(method.rawValue): within half a point of the best on average after \(first.map { "\($0.evaluations)" } ?? "more than \(limit)") evaluations"
    }
    return
      ([
        "\(networks) networks within the budget; the best is \(best.kernel) with \(Cell.fixed(best.accuracy, decimals: 2)) %, \(repeats) repeats",
        "", text, "",
      ]
      + reached).joined(separator: "\n")
  }
}
