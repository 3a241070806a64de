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
  /// The test accuracy after each epoch, of each seed; empty without a training.csv.
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
    let training = URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(
      "training.csv"
    ).path
    guard FileManager.default.fileExists(atPath: training) else { return }
    var curves: [[Int]: [String: [(epoch: Int, top1: Double)]]] = [:]
    for row in try CSVTable(file: training, limit: 1 << 30).rows {
      guard let network = numbers(of: (row["kernel"] ?? "").split(separator: "+").map(String.init)),
        let epoch = row["epoch"].flatMap({ Int($0) }), let top1 = row["test_top1"].flatMap(Double.init)
      else { continue }
      curves[network, default: [:]][row["seed"] ?? "", default: []].append((epoch, top1))
    }
    self.curves = curves.mapValues { seeds in
      seeds.sorted { $0.key < $1.key }.map { $0.value.sorted { $0.epoch < $1.epoch }.map(\.top1) }
    }
  }

  /// Whether it says what short trainings come to.
  var hasCurves: Bool { rows.keys.allSatisfy { curves[$0]?.isEmpty == false } }

  /// The mean accuracy of a network over its seeds: what it is worth.
  func accuracy(_ network: [Int]) -> Double { rows[network]?["top1_mean"].flatMap(Double.init) ?? .nan }

  /// What one training of a network came to after a share of its epochs: that of a seed drawn here, or the mean where
  /// nothing is known of single seeds.
  func evaluation(_ network: [Int], _ share: Double, using random: inout Random) -> Double {
    guard let seeds = curves[network], !seeds.isEmpty else { return accuracy(network) }
    let curve = seeds[random.below(seeds.count)]
    guard !curve.isEmpty else { return accuracy(network) }
    return curve[min(curve.count, max(1, Int((share * Double(curve.count)).rounded()))) - 1]
  }

  /// The networks within some budgets, such as `latency=1.2x`; a factor is of the standard network's own.
  func networks(within budgets: [String]) throws -> Set<[Int]> {
    var allowed = Set(rows.keys)
    for budget in budgets {
      let (column, limit) = try limit(budget)
      allowed = allowed.filter { rows[$0]?[column].flatMap(Double.init).map { $0 <= limit } ?? false }
    }
    guard !allowed.isEmpty else {
      throw WorkbenchError(
        "No network of \(path) is within \(budgets.joined(separator: " and ")); allow more.")
    }
    return allowed
  }

  private func limit(_ budget: String) throws -> (column: String, limit: Double) {
    let columns = [
      "latency": ["latency_ms_predicted", "latency_ms_median"], "params": ["params"], "macs": ["macs"],
      "energy": ["energy_uj"],
    ]
    let sides = budget.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
    let isFactor = sides.last?.hasSuffix("x") == true
    guard sides.count == 2, let names = columns[sides[0]],
      let number = Double(isFactor ? String(sides[1].dropLast()) : sides[1]), number > 0, number.isFinite
    else {
      throw WorkbenchError(
        "The budget ‘\(budget)’ is none; write it as latency=1.2x (times standard's), latency=0.3 (ms), params=200000, macs=2e6 or energy=0.9x."
      )
    }
    let column = names.first { name in rows.values.contains { $0[name].flatMap(Double.init) != nil } }
    guard let column else {
      throw WorkbenchError("\(path) has no \(names[0]); leave out the budget \(sides[0]).")
    }
    guard isFactor else { return (column, number) }
    let standard = kernels.firstIndex(of: "standard").flatMap { rows[Array(repeating: $0, count: places)] }
    guard let own = standard?[column].flatMap(Double.init) else {
      throw WorkbenchError(
        "\(path) has no standard network, of which ‘\(budget)’ is a factor; give a number.")
    }
    return (column, number * own)
  }
}
