import Foundation
import Learning
import Networks
import Tensors

/// The tables of a sweep, derived from its records, in the file's order.
struct SweepTables {
  /// The tables that every experiment may have, by their files' names without `.csv`.
  static let main = ["operators", "networks", "training"]
  /// These, and those that are made on request.
  static let all = main + ["tuning", "layers", "fields", "offsets", "offsets-image", "confusion"]

  /// The tables that the sweep wants and its records can give, by files' names without `.csv`.
  private(set) var tables: [(name: String, table: CSVTable)] = []
  /// The results of each model on each data set.
  private(set) var results: [Results] = []
  /// One sentence if an operator computes something else than its definition.
  private(set) var disagreement: String?
  /// What is to be said of predicted times, one sentence for each model.
  private var notes: [String] = []
  /// The maps that fields.csv names.
  private var maps: [(file: String, map: Tensor)] = []

  /// The tables of what there is.
  ///
  /// - Parameter isForecast: whether networks that are not measured yet have rows, too.
  init(
    _ plan: SweepPlan, _ records: [String: SweepRecord], _ machine: MachineRecord, isForecast: Bool = false
  ) {
    var timed: [OperatorRow] = []
    for group in plan.groups {
      for run in group.operators {
        let record = records[run.name], rows = record?.rows(\.operators) ?? []
        timed += rows
        var place = machine
        place.peakGflopsPerThread = record?.timing.peak ?? machine.peakGflopsPerThread
        place.bandwidthGBPerSecond = record?.timing.bandwidth ?? machine.bandwidthGBPerSecond
        let table = CSVTable(operators: rows, threads: group.threads, place)
        add("operators", table.adding(record?.timing.place), group, plan)
      }
      for comparison in group.comparisons {
        let specification = comparison.specification, model = specification.model
        let measured =
          comparison.space?.rows(records) ?? records[comparison.network.name]?.networkRows
        let rows = measured ?? (isForecast ? specification.kernels.map { NetworkRow(kernel: $0.item) } : [])
        let refused = Set(rows.filter { $0.refusal != nil }.map(\.kernel))
        let runs = comparison.trainings.compactMap { Self.trainedRun($0, records[$0.name]) }
          .filter { !refused.contains($0.kernel) }
        let result = Results(
          specification, networks: rows, tunings: comparison.tunings, match: comparison.match, runs: runs,
          comparison.terms)
        results.append(result)
        add("networks", predicting(result.networkTable, comparison, records), group, plan)
        add("training", result.trainingTable, group, plan)
        let confusion = CSVTable(
          confusionOf: runs, on: specification.data,
          [
            ("model", model.name), ("replace", model.replacement.rawValue), ("data", specification.data.name),
          ])
        if !confusion.rows.isEmpty { add("confusion", confusion, group, plan) }
        if !comparison.tunings.isEmpty {
          add("tuning", CSVTable(tunings: comparison.tunings, specification), group, plan)
        }
        if let run = comparison.layers {
          let rows = records[run.name]?.rows(\.layers) ?? []
          let table = CSVTable(
            layers: rows, of: model, data: specification.data.name, threads: group.threads)
          add("layers", table.adding(records[run.name]?.timing.place), group, plan)
        }
        addOffsets(comparison, records, group, plan)
      }
      addFields(group, records, plan)
    }
    disagreement = timed.disagreement
  }

  /// The table of a space's networks, with the times that are predicted.
  private mutating func predicting(
    _ table: CSVTable, _ comparison: SweepPlan.Comparison, _ records: [String: SweepRecord]
  ) -> CSVTable {
    let specification = comparison.specification
    guard let model = comparison.space?.model(specification, records) else { return table }
    if let error = model.error {
      notes.append(
        "The predicted times of networks of \(specification.model.name) have a median error of \(Cell.fixed(error.percent, decimals: 1)) %, over \(error.networks) timed networks that the prediction was not made from."
      )
    }
    var predicted = CSVTable(columns: table.columns + ["latency_ms_predicted"])
    for row in table.rows {
      let time = row["kernel"].flatMap { model.predictions[$0] }
      predicted.append(row.merging(["latency_ms_predicted": Cell.number(time)]) { $1 })
    }
    return predicted
  }

  /// A table by its name.
  subscript(_ name: String) -> CSVTable? { tables.first { $0.name == name }?.table }

  private mutating func add(_ name: String, _ part: CSVTable, _ group: SweepPlan.Group, _ plan: SweepPlan) {
    let part = plan.isGrouped ? part.adding("group", group.name ?? "") : part
    if let index = tables.firstIndex(where: { $0.name == name }) {
      tables[index].table.append(part)
    } else {
      tables.append((name, part))
    }
  }

  /// Of each kernel with learned positions, those of its first training; the first test image of each data set.
  private mutating func addOffsets(
    _ comparison: SweepPlan.Comparison, _ records: [String: SweepRecord], _ group: SweepPlan.Group,
    _ plan: SweepPlan
  ) {
    let specification = comparison.specification, data = specification.data.name
    var seen = Set<String>()
    let offsets = comparison.trainings.compactMap { run -> (kernel: String, offsets: LayerOffsets)? in
      guard let kernel = run.kernels.first, seen.insert(kernel).inserted else { return nil }
      return records[run.name]?.result.offsets.map { (kernel, $0) }
    }
    guard !offsets.isEmpty, let image = specification.data.test.images.image(0) else { return }
    let shared = [
      ("model", specification.model.name), ("replace", specification.model.replacement.rawValue),
      ("data", data), ("image", "0"),
    ]
    add("offsets", CSVTable(offsets: offsets, shared), group, plan)
    guard self["offsets-image"]?.rows.contains(where: { $0["data"] == data }) != true else { return }
    let pixels = CSVTable(image: image, data: data, number: 0)
    if let index = tables.firstIndex(where: { $0.name == "offsets-image" }) {
      tables[index].table.append(pixels)
    } else {
      tables.append(("offsets-image", pixels))
    }
  }

  /// The fields, each with the name of its map.
  private mutating func addFields(
    _ group: SweepPlan.Group, _ records: [String: SweepRecord], _ plan: SweepPlan
  ) {
    for run in group.fields {
      guard case .field(let settings, let kernel) = run.work, var field = records[run.name]?.result.field
      else { continue }
      field.kernel = kernel.item
      var file = ""
      if let map = field.map {
        let stem = FieldStudy.fileName((plan.isGrouped ? [group.name ?? ""] : []) + [kernel.item])
        file =
          (1...).lazy.map { $0 == 1 ? stem : "\(stem)-\($0)" }
          .first { name in !maps.contains { $0.file == name } } ?? stem
        maps.append((file, map))
      }
      let table = CSVTable(fields: [field], settings.cells())
      let whole = table.adding("map", file).adding(records[run.name]?.timing.place)
      add("fields", whole, group, plan)
    }
  }

  /// What a record tells of a training.
  static func trainedRun(_ run: SweepPlan.Run, _ record: SweepRecord?) -> TrainedRun? {
    guard case .training(_, let choice, let seed, _) = run.work else { return nil }
    var result = TrainedRun(kernel: choice.item, seed: seed)
    guard let record, let epochs = record.epochs else { return result }
    result.epochs = epochs
    result.failure = record.result.failure
    result.place = record.timing.place
    result.isFinished = result.failure == nil
    return result
  }

  /// A row of networks.csv or training.csv in a folder that is in none of these tables, for people; nil if there is
  /// none.
  func lost(from folder: ResultFolder) -> String? {
    let network = ["kernel", "group", "model", "replace", "data"]
    for (name, columns) in [("networks", network + ["epochs"]), ("training", network + ["seed", "epoch"])] {
      guard let old = try? CSVTable(file: folder.path("\(name).csv")) else { continue }
      let kept = Set((self[name]?.rows ?? []).map { row in columns.map { row[$0] ?? "" } })
      for row in old.rows where !kept.contains(columns.map { row[$0] ?? "" }) {
        let place = "\(row["kernel"] ?? "") (\(row.key(["group", "model", "replace", "data"])))"
        guard let seed = row["seed"] else { return "\(place) after \(row["epochs"] ?? "") epochs" }
        return "\(place) of seed \(seed)"
      }
    }
    return nil
  }

  /// Writes the tables and the maps. Those that the folder's last sweep wrote and this one does not make are removed;
  /// those of other commands stay as they are.
  ///
  /// - Returns: the names of what was written, and a sentence for each table that is another command's.
  func write(to folder: ResultFolder) throws -> (written: [String], warnings: [String]) {
    let own = folder.machine?.tables ?? Self.main.map { "\($0).csv" }
    var written: [String] = [], warnings: [String] = []
    for (name, table) in tables {
      let file = "\(name).csv", exists = FileManager.default.fileExists(atPath: folder.path(file))
      // Without a list, tables may be those of an earlier version.
      guard !exists || own.contains(file) || folder.machine?.tables == nil else {
        warnings.append(
          "\(folder.path(file)) is another command's, so it was not changed; move it away to get this command's."
        )
        continue
      }
      if name == "fields" { try writeMaps(to: folder) }
      try table.write(to: folder.path(file))
      written.append(file)
    }
    folder.remove(own.filter { !written.contains($0) })
    return (written, warnings)
  }

  private func writeMaps(to folder: ResultFolder) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder.path("fields"), withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("The folder \(folder.path("fields")) cannot be made; check its permissions.")
    }
    folder.removeMaps(except: Set(maps.map(\.file)))
    for (file, map) in maps { try NpyFile.write(map, to: folder.path("fields/\(file).npy")) }
  }

  /// The networks, for people; the number of timings, if there are only those.
  var summary: String {
    guard let networks = self["networks"] else {
      return "\(self["operators"]?.rows.count ?? 0) rows in operators.csv"
    }
    let text = NetworkSummary(networks: networks, operators: self["operators"]).text()
    return ([text] + notes).joined(separator: "\n\n")
  }
}
