import Foundation
import Learning
import Tensors

/// The tables of a sweep, derived from its records, in the file's order.
struct SweepTables {
  /// operators.csv; nil if the sweep times no operators.
  let operators: CSVTable?
  /// networks.csv; nil if the sweep has no models.
  let networks: CSVTable?
  /// training.csv; nil if the sweep has no models.
  let training: CSVTable?
  /// layers.csv; nil if the sweep times no layers.
  let layers: CSVTable?
  /// offsets.csv: of each kernel's first training; nil if no kernel has learned positions.
  let offsets: CSVTable?
  /// offsets-image.csv: the first test image of each data set of those.
  let images: CSVTable?
  /// What was refused or failed, one sentence each.
  let problems: [String]

  init(_ plan: SweepPlan, _ records: [String: SweepRecord], _ machine: MachineRecord) {
    let isGrouped = plan.groups.contains { $0.name != nil }
    var operators: CSVTable?, networks: CSVTable?, training: CSVTable?, layers: CSVTable?, offsets: CSVTable?
    var images: CSVTable?, drawn = Set<String>()
    var problems: [String] = []
    func add(_ table: CSVTable, to whole: inout CSVTable?, _ group: SweepPlan.Group) {
      var result = whole ?? CSVTable(columns: table.columns + (isGrouped ? ["group"] : []))
      result.append(table, isGrouped ? ["group": group.name ?? ""] : [:])
      whole = result
    }
    for group in plan.groups {
      if !group.operators.isEmpty {
        let rows = group.operators.flatMap { records[$0.name]?.rows(\.operators) ?? [] }
        add(CSVTable(operators: rows, threads: group.threads, machine), to: &operators, group)
      }
      for comparison in group.comparisons {
        let rows = records[comparison.network.name]?.rows(\.networks) ?? []
        let refused = Set(rows.filter { $0.refusal != nil }.map(\.kernel))
        let results = Results(
          comparison.specification, machine, operators: [], networks: rows,
          runs: comparison.trainings.compactMap { Self.trainedRun($0, records[$0.name]) }
            .filter { !refused.contains($0.kernel) })
        add(results.networkTable, to: &networks, group)
        add(results.trainingTable, to: &training, group)
        if let run = comparison.layers {
          let model = comparison.specification.model, data = comparison.specification.data.name
          let table = CSVTable(
            layers: records[run.name]?.rows(\.layers) ?? [], of: model, data: data, threads: group.threads)
          add(table, to: &layers, group)
        }
        let learned = Self.offsets(comparison, records), specification = comparison.specification
        if !learned.isEmpty, let image = specification.data.test.images.image(0) {
          let data = specification.data.name, model = specification.model
          add(
            CSVTable(
              offsets: learned,
              ["model": model.name, "replace": model.replacement.rawValue, "data": data, "image": "0"]),
            to: &offsets, group)
          if drawn.insert(data).inserted {
            let table = CSVTable(image: image, data: data, number: 0)
            if images == nil { images = table } else { images?.append(table) }
          }
        }
        problems += results.problems.map { "\(comparison.specification.model.name): \($0)" }
      }
    }
    self.operators = operators
    self.networks = networks
    self.training = training
    self.layers = layers
    self.offsets = offsets
    self.images = images
    self.problems = problems
  }

  /// Writes the tables; one that the sweep has no use for is not left from before.
  func write(to folder: URL) throws {
    for (name, table) in [
      ("operators.csv", operators), ("networks.csv", networks), ("training.csv", training),
    ] {
      let path = folder.appendingPathComponent(name).path
      if let table { try table.write(to: path) } else { unlink(path) }
    }
    // Other commands write these tables too: without one of its own, the sweep leaves them alone.
    for (name, table) in [("layers.csv", layers), ("offsets.csv", offsets), ("offsets-image.csv", images)] {
      try table?.write(to: folder.appendingPathComponent(name).path)
    }
  }

  /// The networks, for people; the number of timings, if there are only those.
  var summary: String {
    guard let networks else { return "\(operators?.rows.count ?? 0) rows in operators.csv" }
    let wanted = [
      "group", "model", "replace", "data", "kernel", "params", "macs", "latency_ms_median",
      "speedup_vs_standard",
      "top1_mean", "top1_ci95", "test_mse_mean", "test_mae_mean", "seeds", "status",
    ]
    let columns = wanted.filter { column in
      networks.columns.contains(column) && Set(networks.rows.map { $0[column] ?? "" }).count > 1
        || ["kernel", "params"].contains(column)
    }
    let words = ["group", "model", "replace", "data", "kernel", "status"]
    var table = TextTable(columns, left: Set(columns.indices.filter { words.contains(columns[$0]) }))
    for row in networks.rows { table.append(columns.map { row[$0] ?? "" }) }
    return table.text
  }

  /// Of each kernel with learned positions, those of its first training.
  private static func offsets(_ comparison: SweepPlan.Comparison, _ records: [String: SweepRecord])
    -> [(kernel: String, offsets: LearnedOffsets)]
  {
    var seen = Set<String>()
    return comparison.trainings.compactMap { run in
      guard case .training(_, let choice, _, _) = run.work, seen.insert(choice.item).inserted else {
        return nil
      }
      return records[run.name]?.result.offsets.map { (choice.item, $0) }
    }
  }

  private static func trainedRun(_ run: SweepPlan.Run, _ record: SweepRecord?) -> TrainedRun? {
    guard case .training(_, let choice, let seed, _) = run.work else { return nil }
    var result = TrainedRun(kernel: choice.item, seed: seed)
    guard let record, let epochs = record.epochs else { return result }
    result.epochs = epochs
    result.failure = record.result.failure
    result.isFinished = result.failure == nil
    return result
  }
}
