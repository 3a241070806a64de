import Kernels
import Tensors

/// What a search found: the Pareto front of accuracy against cost, trained anew.
package struct SearchResult {
  typealias Costs = [SearchBudget.Quantity: Double]

  /// A training of the search.
  struct Evaluation {
    let choice: KernelChoice
    let epochs: Int
    /// The accuracy on the validation images at the best epoch, in percent; −∞ if it failed.
    let value: Double
    let costs: Costs
  }

  /// Trainings of a network with seeds that the search did not use.
  struct Fresh {
    let kernel: String
    let seeds: Int
    /// The mean accuracy on the validation images, in percent.
    let validation: Double
    /// That on the test images, with its interval and the difference to standard.
    let row: NetworkAccuracies.Row?
  }

  private let search: TrainedSearch
  private let evaluations: [Evaluation]
  private let limits: [(quantity: SearchBudget.Quantity, most: Double)]
  private let standard: Costs?
  let fresh: [Fresh]

  init(
    _ search: TrainedSearch, _ evaluations: [Evaluation],
    limits: [(quantity: SearchBudget.Quantity, most: Double)], standard: Costs?, fresh: [Fresh]
  ) {
    self.search = search
    self.evaluations = evaluations
    self.limits = limits
    self.standard = standard
    self.fresh = fresh
  }

  /// The networks of which none that was trained to its end is more accurate and costs no more; the cheapest first.
  static func front(
    _ evaluations: [Evaluation], by quantity: SearchBudget.Quantity, _ epochs: Int
  ) -> [KernelChoice] {
    func cost(_ evaluation: Evaluation) -> Double { evaluation.costs[quantity] ?? .infinity }
    let whole = evaluations.filter { $0.epochs == epochs && $0.value.isFinite }
      .sorted { (cost($0), -$0.value) < (cost($1), -$1.value) }
    var best = -Double.infinity
    return whole.filter { evaluation in
      defer { best = max(best, evaluation.value) }
      return evaluation.value > best
    }.map(\.choice)
  }

  /// A line of the tables: a training of the search, or the standard network, which the search may have left out.
  private struct Row {
    let kernel: String
    let number: Int?
    let evaluation: Evaluation?
    let costs: Costs
    /// Of a network on the front, once, and of the standard one.
    let fresh: Fresh?
    let isOnFront: Bool
  }

  private var rows: [Row] {
    let epochs = search.comparison.specification.recipe.epochs
    let front = Set(Self.front(evaluations, by: search.axis, epochs).map(\.item))
    let rows = evaluations.enumerated().map { index, evaluation -> Row in
      let kernel = evaluation.choice.item, isWhole = evaluation.epochs == epochs
      return Row(
        kernel: kernel, number: index + 1, evaluation: evaluation, costs: evaluation.costs,
        fresh: isWhole ? fresh.first { $0.kernel == kernel } : nil,
        isOnFront: isWhole && front.contains(kernel))
    }
    let other = fresh.first { fresh in !rows.contains { $0.fresh?.kernel == fresh.kernel } }
    return rows
      + [other].compactMap { $0 }.map {
        Row(
          kernel: $0.kernel, number: nil, evaluation: nil, costs: standard ?? [:], fresh: $0, isOnFront: false
        )
      }
  }

  /// The file's name: searches of one folder that ask for something else have others.
  package var file: String {
    let settings = search.settings
    let filter = settings.filter.map { ["\($0) \(settings.candidates)"] } ?? []
    let words =
      [settings.method.rawValue] + settings.budgets + filter
      + ["\(settings.evaluations)"] + (settings.seed == 0 ? [] : ["seed \(settings.seed)"])
    return "search-\(Plot.slug(words.joined(separator: " "))).csv"
  }

  /// A row for each training of the search in its order, and for the standard network if it is none of them.
  package var table: CSVTable {
    typealias Column = Experiments.Column<Row>
    func cost(_ name: String, _ quantity: SearchBudget.Quantity, digits: Int = 5) -> Column {
      Column(name) { Cell.number($0.costs[quantity], digits: digits) }
    }
    func fixed(_ name: String, _ value: @escaping (Row) -> Double?) -> Column {
      Column(name) { Cell.fixed(value($0), decimals: 3) }
    }
    let specification = search.comparison.specification, settings = search.settings
    return CSVTable(
      rows,
      Column.shared([
        ("method", settings.method.rawValue), ("filter", settings.filter ?? ""),
        ("budget", settings.budgets.joined(separator: " ")), ("model", specification.model.name),
        ("data", specification.data.name),
      ]) + [
        Column("evaluation") { $0.number }, Column("kernel") { $0.kernel },
        Column("seed") { $0.evaluation.map { _ in search.seed } }, Column("epochs") { $0.evaluation?.epochs },
        cost("params", .params, digits: 12), cost("macs", .macs, digits: 15), cost("energy_uj", .energy),
        cost("latency_ms_predicted", .latency), fixed("validation_top1") { $0.evaluation?.value },
        Column("front") { $0.isOnFront ? "yes" : "no" }, Column("fresh_seeds") { $0.fresh?.seeds },
        fixed("fresh_validation_top1") { $0.fresh?.validation },
        fixed("fresh_top1_mean") { $0.fresh?.row?.accuracy.mean },
        fixed("fresh_top1_low95") { $0.fresh?.row?.accuracy.interval?.lowerBound },
        fixed("fresh_top1_high95") { $0.fresh?.row?.accuracy.interval?.upperBound },
        fixed("fresh_difference") { $0.fresh?.row?.difference?.mean },
        fixed("fresh_difference_low95") { $0.fresh?.row?.difference?.interval?.lowerBound },
        fixed("fresh_difference_high95") { $0.fresh?.row?.difference?.interval?.upperBound },
        Column("fresh_verdict") { $0.fresh?.row?.verdict?.rawValue },
      ])
  }

  /// The front, for people.
  package var text: String {
    typealias Column = Experiments.Column<Row>
    let specification = search.comparison.specification, settings = search.settings, axis = search.axis
    let front = rows.filter { $0.isOnFront || $0.kernel == specification.standard.item && $0.fresh != nil }
      .sorted { ($0.costs[axis] ?? 0) < ($1.costs[axis] ?? 0) }
    let table = TextTable(
      front,
      [
        Column("network") { $0.kernel },
        Column(axis == .latency ? "ms" : axis == .energy ? "µJ" : axis.rawValue) {
          $0.costs[axis].map {
            axis == .params || axis == .macs ? Cell.grouped(Int($0)) : Cell.number($0, digits: 3)
          }
        },
        Column("search") { $0.evaluation.map { Cell.fixed($0.value, decimals: 1) } },
        Column("fresh") { $0.fresh.map { Cell.fixed($0.validation, decimals: 1) } },
        Column("test (95 %)") { row in
          row.fresh?.row.map { accuracy in
            Cell.fixed(accuracy.accuracy.mean, decimals: 1)
              + (accuracy.accuracy.interval.map {
                " (\(Cell.fixed($0.lowerBound, decimals: 1))–\(Cell.fixed($0.upperBound, decimals: 1)))"
              } ?? "")
          }
        },
        Column("verdict") { $0.fresh?.row?.verdict?.rawValue },
      ])
    let luck = front.filter(\.isOnFront).compactMap { row in
      row.evaluation.flatMap { evaluation in row.fresh.map { evaluation.value - $0.validation } }
    }
    let budget = limits.map { "\($0.quantity.rawValue) at most \(Cell.number($0.most, digits: 4))" }
    let best = front.filter(\.isOnFront).max { ($0.evaluation?.value ?? 0) < ($1.evaluation?.value ?? 0) }
    return [
      "\(settings.method.rawValue)\(settings.filter.map { ", the best of \(settings.candidates) by \($0)" } ?? ""): \(SweepRunner.count(evaluations.count, "training")) of \(specification.model.name) on \(specification.data.name)\(budget.isEmpty ? "" : ", \(budget.joined(separator: ", "))")",
      table.text(within: 80),
      """
      search: accuracy on validation images in the search, seed \(search.seed), by which these were chosen
      fresh:  the same of other seeds (\(search.seed + 1) to \(search.seed + settings.freshSeeds)), which chose nothing; test: their accuracy on test images
      """,
      "Search less fresh, on average over the front: \(Cell.signed(Statistics.mean(luck))) points.",
      "The most accurate in the search: \(best?.kernel ?? "")",
    ].joined(separator: "\n\n")
  }
}

extension TrainedSearch {
  /// What accuracy is held against: what the first budget limits, or parameters.
  var axis: SearchBudget.Quantity { budgets.first?.quantity ?? .params }
}
