import Foundation
import Tensors
import Testing

@testable import Experiments

/// Searches for networks, and what they would have found in a table.
@Suite struct SearchTests {
  typealias Method = NetworkSearch.Method

  /// Six kernels in five places, whose accuracies add; none may be of the last kernel everywhere.
  private func run(
    _ method: Method, _ evaluations: Int, seed: UInt64, filter: NetworkSearch.Filter? = nil
  ) throws -> (
    steps: [NetworkSearch.Step], seen: [([Int], Double)]
  ) {
    var seen: [([Int], Double)] = []
    var search = NetworkSearch(
      kernels: 6, places: 5, epochs: 9, random: Random(seed: seed), filter: filter,
      isAllowed: { Set($0) != [5] }
    ) { networks, epochs in
      seen += networks.map { ($0, Double(epochs) / 9) }
      return networks.map(Self.value)
    }
    let steps = try search.run(method, evaluations: evaluations)
    return (steps, seen)
  }

  private static func value(_ network: [Int]) -> Double {
    zip(1..., network).reduce(0) { $0 + Double($1.0 * $1.1) }
  }

  @Test func evolutionClimbsFasterThanChance() throws {
    func found(_ method: Method) throws -> Double {
      try (0..<20).reduce(0) { sum, seed in
        sum + Self.value(try #require(run(method, 100, seed: UInt64(seed)).steps.last).best) / 20
      }
    }
    let random = try found(.random), evolution = try found(.evolution)
    // At best 75 less 1; a network drawn at random has 37.5.
    #expect(evolution > 70 && evolution > random + 3, "\(evolution) and \(random)")
  }

  @Test(arguments: Method.allCases) func whatIsSpentIsCounted(_ method: Method) throws {
    let (steps, seen) = try run(method, 12, seed: 3)
    #expect(abs((steps.last?.spent ?? 0) - 12) < 1e-9)
    #expect(abs(seen.reduce(0) { $0 + $1.1 } - 12) < 1e-9)
    #expect(seen.allSatisfy { Set($0.0) != [5] })
    // Nothing is trained to the same end twice, and the best of what was trained to its end is chosen.
    let whole = seen.filter { $0.1 == 1 }.map(\.0)
    #expect(Set(whole).count == whole.count)
    #expect(steps.last.map { Self.value($0.best) } == whole.map(Self.value).max())
    #expect(try run(method, 12, seed: 3).seen.map(\.0) == seen.map(\.0))
  }

  @Test func halvingKeepsAThirdOfAThird() throws {
    let shares = try run(.halving, 3, seed: 0).seen.map(\.1)
    let ninths = [Double](repeating: 1.0 / 9, count: 9), thirds = [Double](repeating: 1.0 / 3, count: 3)
    let wanted: [Double] = ninths + thirds + [1]
    #expect(shares == wanted)
    // A round that would be too much is left out, but for the first.
    #expect(try run(.halving, 5, seed: 0).seen.count == 13)
    #expect(try run(.halving, 1, seed: 0).seen.count == 13)
  }

  /// Of eight networks the best by a filter that is right is trained: better ones than chance finds, and none twice.
  @Test(arguments: Method.allCases) func aFilterLooksFirst(_ method: Method) throws {
    let filter = NetworkSearch.Filter(candidates: 8) { $0.map(Self.value) }
    let with = try run(method, 12, seed: 5, filter: filter).seen, without = try run(method, 12, seed: 5).seen
    func mean(_ seen: [([Int], Double)]) -> Double { Statistics.mean(seen.map { Self.value($0.0) }) }
    #expect(mean(with) > mean(without) + 5, "\(mean(with)) and \(mean(without))")
    let whole = with.filter { $0.1 == 1 }.map(\.0)
    #expect(Set(whole).count == whole.count)
  }

  @Test(arguments: Method.allCases) func aSmallSpaceEnds(_ method: Method) throws {
    var search = NetworkSearch(
      kernels: 2, places: 3, epochs: 9, random: Random(seed: 1), isAllowed: { _ in true }
    ) { networks, _ in networks.map(Self.value) }
    let steps = try search.run(method, evaluations: 100)
    #expect(steps.last.map { $0.spent <= 8 } == true)
    #expect(steps.last?.best == [1, 1, 1])
  }

  /// A table of 27 networks, whose MACs and accuracies add; two seeds, one point apart.
  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("search-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var networks = CSVTable(
      columns: ["kernel", "model", "macs", "params", "top1_mean", "status", "epochs", "snip"])
    var training = CSVTable(columns: ["kernel", "seed", "epoch", "test_top1"])
    let names = ["standard", "shift", "adder:dilation=2"]
    for number in 0..<27 {
      let network = [number / 9, number / 3 % 3, number % 3], value = 60 + Self.value(network)
      let items = network.map { names[$0] }
      let kernel = Set(items).count == 1 ? items[0] : items.joined(separator: "+")
      networks.append([
        "kernel": kernel, "model": "m", "macs": "\(100 + 10 * network.reduce(0, +))", "params": "7",
        "top1_mean": "\(value)", "status": "ok", "epochs": "9", "snip": "\(value)",
      ])
      for seed in 0..<2 {
        for epoch in 1...9 {
          let top1 = value - Double(9 - epoch) + (seed == 0 ? -0.5 : 0.5)
          training.append(["kernel": kernel, "seed": "\(seed)", "epoch": "\(epoch)", "test_top1": "\(top1)"])
        }
      }
    }
    networks.append(["kernel": "fft", "model": "m", "status": "refused"])
    try networks.write(to: folder.appendingPathComponent("networks.csv").path)
    try training.write(to: folder.appendingPathComponent("training.csv").path)
    return folder
  }

  @Test func aTableSaysWhatANetworkIsWorth() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let table = try SearchTable(folder.appendingPathComponent("networks.csv").path)
    #expect(table.kernels == ["adder:dilation=2", "shift", "standard"] && table.places == 3)
    #expect(table.rows.count == 27 && table.hasCurves)
    #expect(table.accuracy([2, 2, 2]) == 60 && table.accuracy([2, 2, 0]) == 66)
    var random = Random(seed: 0)
    #expect(table.epochs == 9)
    let drawn = Set((0..<50).map { _ in table.evaluation([2, 2, 0], 9, using: &random) })
    #expect(drawn == [65.5, 66.5])
    #expect(Set((0..<50).map { _ in table.evaluation([2, 2, 0], 3, using: &random) }) == [59.5, 60.5])
    #expect(try table.networks(within: ["macs=1.1x"]).count == 4)
    #expect(try table.networks(within: ["macs=110", "params=7"]).count == 4)
  }

  @Test(arguments: [
    ("macs=90", "No network of"), ("latency=1.2x", "has no latency_ms_predicted;"),
    ("flops=3", "‘flops=3’ is not a budget;"),
    ("macs=-1", "is not a budget;"), ("macs", "is not a budget;"), ("macs=x", "is not a budget;"),
    ("macs=1=2", "is not a budget;"),
  ]) func budgetsThatAreNoneAreRefused(_ budget: String, _ words: String) throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let table = try SearchTable(folder.appendingPathComponent("networks.csv").path)
    let error = #expect(throws: WorkbenchError.self) { try table.networks(within: [budget]) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "nothing")")
  }

  @Test func aSimulationFindsTheBestInTheEnd() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("networks.csv").path
    let simulation = try SearchSimulation(table: path, budgets: [], evaluations: 27, repeats: 40, seed: 1)
    for method in Method.allCases {
      let rows = simulation.rows.filter { $0.method == method }
      #expect(rows.allSatisfy { $0.low <= $0.mean && $0.mean <= $0.high && $0.high <= 72 })
      #expect((rows.last?.mean ?? 0) > (rows.first?.mean ?? 0))
    }
    // A random network has 66 on average; all of them, of which one seed each is seen, hold the best.
    let random = simulation.rows.filter { $0.method == .random }
    #expect(abs((random.first?.mean ?? 0) - 66) < 2)
    #expect(random.last.map { $0.close > 0.5 && $0.mean > 71.5 } == true)
    #expect(simulation.text.contains("the best is adder:dilation=2 with 72.00 %"))
    // A proxy that is the accuracy finds the best sooner.
    let filtered = try SearchSimulation(
      table: path, budgets: [], evaluations: 5, filter: "snip", candidates: 4, repeats: 40, seed: 1)
    func found(_ name: String) -> Double { filtered.rows.last { $0.name == name }?.mean ?? .nan }
    #expect(found("random by snip") > found("random"))
    #expect(filtered.table.rows.last?["filter"] == "snip")
    // Without the epochs nothing is known of short trainings.
    try FileManager.default.removeItem(at: folder.appendingPathComponent("training.csv"))
    let without = try SearchSimulation(
      table: path, budgets: ["macs=1.2x"], evaluations: nil, repeats: 5, seed: 1)
    #expect(Set(without.rows.map(\.method)) == [.random, .evolution])
  }

  /// Where there is validation, it is what a search sees; the test accuracy is of one epoch only.
  @Test func aTableIsSearchedByValidation() throws {
    let folder = try folder(), path = folder.appendingPathComponent("training.csv").path
    defer { try? FileManager.default.removeItem(at: folder) }
    var training = CSVTable(columns: ["kernel", "seed", "epoch", "test_top1", "validation_top1"])
    for row in try CSVTable(file: path).rows {
      let isLast = row["epoch"] == "9"
      training.append([
        "kernel": row["kernel"] ?? "", "seed": row["seed"] ?? "", "epoch": row["epoch"] ?? "",
        "test_top1": isLast ? "99" : "", "validation_top1": row["epoch"] == "2" ? "50" : "30",
      ])
    }
    try training.write(to: path)
    let table = try SearchTable(folder.appendingPathComponent("networks.csv").path)
    var random = Random(seed: 0)
    #expect(table.hasCurves && table.evaluation([2, 2, 0], 1, using: &random) == 30)
    #expect(table.evaluation([2, 2, 0], 9, using: &random) == 50)
  }
}
