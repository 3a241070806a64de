import Foundation
import Tensors
import Testing

@testable import Experiments

/// Searches that train, of networks so small that they learn nothing.
@Suite struct TrainedSearchTests {
  private static let file = """
    models: {name: bottleneck20, width: 0.25}
    space: {kernels: [standard, shift, 1x1]}
    data: synthetic
    seeds: 1
    training: {epochs: 1, batch: 200}

    """

  private func search(_ change: (inout TrainedSearch.Settings) -> Void, _ file: String = file) throws
    -> TrainedSearch
  {
    var settings = TrainedSearch.Settings()
    (settings.evaluations, settings.freshSeeds) = (3, 2)
    change(&settings)
    return try TrainedSearch(SweepTests.sweep(file), .builtIn, settings, threads: 2)
  }

  private func records(_ folder: String) throws -> Set<String> { Set(SweepRecords.names(in: folder)) }

  /// To its end; then anew with half of the records, as after a process that was killed, and with all of them.
  @Test func aSearchResumesAndEndsTheSame() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("search-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let search = try search { $0.budgets = ["macs=0.9x"] }
    let result = try search.run(output: folder), table = result.table.text
    let names = try records(folder)
    let trained = result.table.rows.filter { $0["evaluation"] != "" && $0["evaluation"] != nil }
    #expect(trained.count == 3 && Set(trained.map { $0["kernel"] }).count == 3)
    let standard = try #require(result.fresh.first)
    #expect(standard.kernel == "standard" && standard.seeds == 2)
    let front = trained.filter { $0["front"] == "yes" }
    #expect(!front.isEmpty && front.allSatisfy { $0["fresh_seeds"] == "2" && $0["fresh_top1_mean"] != "" })
    // 3 trainings, and 2 for each network of the front and for standard.
    #expect(names.count == 3 + 2 * (front.count + 1))
    #expect(try CSVTable(file: "\(folder)/\(result.file)").text == table)
    #expect(result.text.contains("fresh") && result.text.contains("macs at most"))

    for name in names.sorted().prefix(names.count / 2) {
      try FileManager.default.removeItem(atPath: "\(folder)/records/\(name).json")
    }
    #expect(try search.run(output: folder).table.text == table)
    #expect(try records(folder) == names)

    // A search by another method shares what is known, and so does the sweep of the same file.
    let random = try self.search {
      $0.budgets = ["macs=0.9x"]
      $0.method = .random
    }
    _ = try random.run(output: folder)
    let sweep = try SweepPlan(SweepTests.sweep(Self.file), threads: 2)
    let trainings = Set(sweep.runs.filter(\.isTraining).map(\.name))
    #expect(names.intersection(trainings).count == 3, "those of the first seed")
  }

  @Test func aFilterAsksProxies() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("filter-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let search = try search {
      ($0.filter, $0.candidates, $0.evaluations, $0.method) = ("naswot", 2, 1, .random)
    }
    let result = try search.run(output: folder)
    let kinds = try SweepRecords(folder).known.values.map { $0.definition["kind"] ?? "" }
    #expect(kinds.count { $0 == "network" } == 2)
    #expect(result.table.rows.first?["filter"] == "naswot")
  }

  /// Latencies are predicted from the networks of one kernel, which are timed once.
  @Test func aLatencyBudgetTimesBlocks() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("latency-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let search = try search {
      ($0.budgets, $0.evaluations, $0.method) = (["latency=100x"], 1, .random)
    }
    let row = try #require(try search.run(output: folder).table.rows.first)
    #expect(row["latency_ms_predicted"].flatMap(Double.init).map { $0 > 0 } == true)
    let kinds = Set(try SweepRecords(folder).known.values.map { $0.definition["kind"] ?? "" })
    #expect(kinds == ["network", "layers", "training"])
  }

  @Test(arguments: [
    ("space: {kernels: [standard, shift, 1x1]}", "kernels: shift", "A search needs a file with one space"),
    ("data: synthetic", "data: synthetic:validation=0", "A search chooses by the accuracy on a validation"),
    ("training: {epochs: 1, batch: 200}", "layers: false", "The file trains nothing;"),
  ]) func whatCannotBeSearchedIsRefused(_ old: String, _ new: String, _ start: String) throws {
    let error = #expect(throws: WorkbenchError.self) {
      try search({ _ in }, Self.file.replacingOccurrences(of: old, with: new))
    }
    #expect(error?.description.hasPrefix(start) == true, "\(error?.description ?? "nothing")")
  }
}
