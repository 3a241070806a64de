import Foundation
import Tensors

/// How well methods of search would have done on a table that is complete: nothing is trained.
package struct SearchSimulation {
  /// What a method has found after a number of evaluations, over all repeats.
  struct Row {
    let method: NetworkSearch.Method
    /// The proxy that looked at networks first, if one did.
    let filter: String?
    let evaluations: Int
    /// The mean accuracy of the network that it would choose, in percent, and half the width of its 95 % interval.
    let mean: Double, interval: Double
    /// Bounds of what 95 % of the repeats find.
    let low: Double, high: Double
    /// The share of repeats that are within half a point of the best network.
    let close: Double

    /// For people.
    var name: String { method.rawValue + (filter.map { " by \($0)" } ?? "") }
  }

  let rows: [Row]
  private let best: (kernel: String, accuracy: Double)
  private let networks: Int
  private let repeats: Int

  /// Whether methods saw single trainings, by their validation accuracies.
  private let knowsSeeds: Bool

  /// Searches a table many times.
  ///
  /// - Parameters:
  ///   - path: a networks.csv, with its training.csv beside it.
  ///   - budgets: what chosen networks may cost, such as `latency=1.2x`.
  ///   - evaluations: at most this number of whole trainings for each search; nil for a quarter of the networks within the budgets.
  ///   - filter: a proxy; each method searches without and with it.
  ///   - candidates: of how many networks the filter takes one.
  package init(
    table path: String, budgets: [String], evaluations: Int?, filter: String? = nil, candidates: Int = 1,
    repeats: Int, seed: UInt64
  ) throws {
    let table = try SearchTable(path), allowed = try table.networks(within: budgets)
    let limit = evaluations.map { min($0, allowed.count) } ?? max(10, allowed.count / 4)
    let accuracies = Dictionary(uniqueKeysWithValues: allowed.map { ($0, table.accuracy($0)) })
    let top = accuracies.max { ($0.value, $1.key.description) < ($1.value, $0.key.description) }
    let highest = top?.value ?? .nan
    best = (kernel: top.flatMap { table.rows[$0.key]?["kernel"] } ?? "", accuracy: highest)
    networks = allowed.count
    knowsSeeds = table.knowsSeeds
    self.repeats = repeats
    if let filter, !allowed.contains(where: { table.rows[$0]?.number(filter) != nil }) {
      throw WorkbenchError("\(path) has no \(filter) to choose networks by; take another proxy.")
    }
    var rows: [Row] = []
    let methods = NetworkSearch.Method.allCases.filter { $0 != .halving || table.hasCurves }
    let filters: [String?] = filter.map { [nil, $0] } ?? [nil]
    let searches = methods.flatMap { method in filters.map { (method: method, proxy: $0) } }
    for (method, proxy) in searches {
      var found = Array(repeating: [Double](), count: limit)
      for number in 0..<repeats {
        try Cancellation.check()
        let source = Random(seed: seed).split("\(method.rawValue) \(number)")
        var seeds = source.split("seeds")
        var search = NetworkSearch(
          kernels: table.kernels.count, places: table.places, epochs: table.epochs, random: source,
          filter: proxy.map { proxy in
            NetworkSearch.Filter(candidates: candidates) { table.scores($0, proxy) }
          }, isAllowed: allowed.contains
        ) { networks, epochs in networks.map { table.evaluation($0, epochs, using: &seeds) } }
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
            method: method, filter: proxy, evaluations: index + 1, mean: Statistics.mean(values),
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
        Column("filter") { $0.filter },
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
        Column("method") { $0.name }, Column("evaluations") { $0.evaluations },
        Column("top-1 % found") { Cell.fixed($0.mean, decimals: 2) },
        Column("± 95 %") { Cell.fixed($0.interval, decimals: 2) },
        Column("95 % of repeats") {
          "\(Cell.fixed($0.low, decimals: 2)) to \(Cell.fixed($0.high, decimals: 2))"
        },
        Column("within ½ point") { "\(Cell.fixed(100 * $0.close, decimals: 0)) %" },
      ]
    ).text
    let reached = rows.map(\.name).uniqued().map { name in
      let first = rows.first { $0.name == name && best.accuracy - $0.mean <= 0.5 }
      return
        "\(name): within half a point of the best on average after \(first.map { "\($0.evaluations)" } ?? "more than \(limit)") evaluations"
    }
    return
      ([
        "\(networks) networks within the budget; the best is \(best.kernel) with \(Cell.fixed(best.accuracy, decimals: 2)) %, \(repeats) repeats",
        "", text, "",
      ]
      + reached
      + (knowsSeeds
        ? []
        : [
          "Without a training.csv beside the table, methods see the mean test accuracy itself,",
          "so they choose too well, and halving is left out.",
        ]))
      .joined(separator: "\n")
  }
}
