import Foundation
import Tensors

/// A finished table of a space's networks, for searches that train nothing.
struct SearchTable {
  /// The kernels of which each place has one.
  let kernels: [String]
  /// The number of stages, or blocks.
  let places: Int
  /// The rows of networks.csv by network, finished ones only.
  let rows: [[Int]: [String: String]]
  /// The epochs of a whole training.
  let epochs: Int
  /// The validation accuracy after each epoch, of each seed; the test accuracy where there is no validation, as it was
  /// looked at in earlier versions. Empty without a training.csv.
  private var curves: [[Int]: [[Double]]] = [:]
  private let path: String

  /// Reads a networks.csv, and the training.csv beside it.
  init(_ path: String) throws {
    let table = try CSVTable(file: path)
    guard table.columns.contains("kernel"), table.columns.contains("top1_mean") else {
      throw WorkbenchError(
        "\(path) is not a table of trained networks; give the networks.csv of a sweep over a space.")
    }
    let finished = table.rows.filter { row in
      row["status"] == "ok" && row["top1_mean"].flatMap(Double.init)?.isFinite == true
    }
    let keys = ["group", "model", "replace", "data"]
    guard Set(finished.map { $0.key(keys) }).count < 2 else {
      throw WorkbenchError(
        "\(path) has networks of several models, data or groups; give the table of one of each.")
    }
    let items = finished.map { ($0["kernel"] ?? "").split(separator: "+").map(String.init) }
    let places = items.map(\.count).max() ?? 0
    guard places > 1 else {
      throw WorkbenchError(
        "\(path) has no networks of several kernels; give the networks.csv of a sweep over a space.")
    }
    let kernels = Set(items.joined()).sorted()
    func numbers(of items: [String]) -> [Int]? {
      let numbers = items.compactMap(kernels.firstIndex)
      if numbers.count == 1 { return Array(repeating: numbers[0], count: places) }
      return numbers.count == places ? numbers : nil
    }
    var rows: [[Int]: [String: String]] = [:]
    for (items, row) in zip(items, finished) { if let network = numbers(of: items) { rows[network] = row } }
    self.path = path
    self.kernels = kernels
    self.places = places
    self.rows = rows
    epochs = rows.values.compactMap { $0["epochs"].flatMap { Int($0) } }.max() ?? 1
    let training = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(
      "training.csv"
    ).path
    guard FileManager.default.fileExists(atPath: training) else { return }
    var curves: [[Int]: [String: [(epoch: Int, top1: Double)]]] = [:]
    let epochRows = try CSVTable(file: training, limit: 1 << 30).rows
    // The test split is looked at in one epoch only: what is chosen is chosen by validation.
    let column = epochRows.contains { $0.number("validation_top1") != nil } ? "validation_top1" : "test_top1"
    for row in epochRows {
      guard let network = numbers(of: (row["kernel"] ?? "").split(separator: "+").map(String.init)),
        let epoch = row["epoch"].flatMap({ Int($0) }), let top1 = row.number(column)
      else { continue }
      curves[network, default: [:]][row["seed"] ?? "", default: []].append((epoch, top1))
    }
    self.curves = curves.mapValues { seeds in
      seeds.sorted { $0.key < $1.key }.map { $0.value.sorted { $0.epoch < $1.epoch }.map(\.top1) }
    }
  }

  /// Whether single trainings are known.
  var knowsSeeds: Bool { !curves.isEmpty }

  /// Whether it says what short trainings come to.
  var hasCurves: Bool {
    rows.keys.allSatisfy { network in
      let curves = curves[network] ?? []
      return !curves.isEmpty && curves.allSatisfy { $0.count > 1 || epochs == 1 }
    }
  }

  /// The mean test accuracy of a network over its seeds: what it is worth.
  func accuracy(_ network: [Int]) -> Double { rows[network]?["top1_mean"].flatMap(Double.init) ?? .nan }

  /// What a search would see of a training of so many epochs: the best epoch of a seed drawn here, or the mean test
  /// accuracy where nothing is known of single seeds.
  func evaluation(_ network: [Int], _ epochs: Int, using random: inout Random) -> Double {
    guard let seeds = curves[network], !seeds.isEmpty else { return accuracy(network) }
    return seeds[random.below(seeds.count)].prefix(max(1, epochs)).max() ?? accuracy(network)
  }

  /// The values of a proxy; −∞ where it is not defined.
  func scores(_ networks: [[Int]], _ proxy: String) -> [Double] {
    networks.map { rows[$0]?.number(proxy) ?? -.infinity }
  }

  /// The networks within some budgets, such as `latency=1.2x`; a factor is of the standard network's own.
  func networks(within budgets: [String]) throws -> Set<[Int]> {
    var allowed = Set(rows.keys)
    for budget in try budgets.map(SearchBudget.init) {
      let names = budget.quantity.columns
      guard let column = names.first(where: { name in rows.values.contains { $0.number(name) != nil } })
      else {
        throw WorkbenchError("\(path) has no \(names[0]); leave out the budget \(budget.quantity.rawValue).")
      }
      let standard = kernels.firstIndex(of: "standard").flatMap {
        rows[Array(repeating: $0, count: places)]?.number(column)
      }
      let limit = try budget.limit(standard: standard, in: path)
      allowed = allowed.filter { rows[$0]?.number(column).map { $0 <= limit } ?? false }
    }
    guard !allowed.isEmpty else {
      throw WorkbenchError(
        "No network of \(path) is within \(budgets.joined(separator: " and ")); allow more.")
    }
    return allowed
  }
}
