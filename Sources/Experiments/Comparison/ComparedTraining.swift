import Foundation
import Learning
import Tensors

/// A finished training of a classifier in a folder of results.
struct ComparedTraining {
  /// Its description.
  struct Network: Hashable {
    let group, kernel, model, replace, data: String
  }

  let network: Network
  /// Everything that defines it except the seed; compared trainings share it.
  let key: String
  let seed: Int
  /// In percent.
  let top1: Double
  /// How many test images there were.
  let images: Int
  /// Which of them it got right, if that is known.
  let isRight: [Bool]?

  /// The trainings in the records of a folder.
  static func records(_ folder: String) throws -> [ComparedTraining] {
    try SweepRecords(folder).known.sorted { $0.key < $1.key }.compactMap { _, record in
      var definition = record.definition
      guard definition["kind"] == "training", record.result.failure == nil,
        let seed = definition.removeValue(forKey: "seed").flatMap({ Int($0) }),
        let test = record.epochs?.last(where: { $0.test != nil })?.test, let top1 = test.top1,
        let isRight = test.hits?.values(top1: top1)
      else { return nil }
      let options = definition.filter { $0.key.hasPrefix("model.") && $0.key != "model.revision" }
        .map { (String($0.key.dropFirst("model.".count)), $0.value) }.sorted { $0.0 < $1.0 }
        .map { $1 == "on" ? ":\($0)" : ":\($0)=\($1)" }
      return ComparedTraining(
        network: Network(
          group: "", kernel: definition["kernel"] ?? "",
          model: (definition["model"] ?? "") + options.joined(), replace: definition["replace"] ?? "",
          data: definition["data"] ?? ""),
        key: definition.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: "\n"),
        seed: seed, top1: top1, images: isRight.count, isRight: isRight)
    }
  }

  /// How many finished trainings of regressions a folder has: they have no accuracy to compare.
  static func regressions(_ folder: String) throws -> Int {
    try SweepRecords(folder).known.values.count { record in
      let test = record.epochs?.last { $0.test != nil }?.test
      return record.definition["kind"] == "training" && test != nil && test?.top1 == nil
    }
  }

  /// The trainings in a folder's training.csv; networks.csv says how many test images they had.
  static func tables(_ folder: String) throws -> [ComparedTraining] {
    func rows(_ name: String) throws -> [ReportData.Row] {
      let path = ResultFolder(folder).path("\(name).csv")
      return FileManager.default.fileExists(atPath: path) ? try CSVTable(file: path).rows : []
    }
    let columns = ["group", "kernel", "model", "replace", "data"]
    func network(_ row: ReportData.Row) -> Network {
      let cells = columns.map { row[$0] ?? "" }
      return Network(group: cells[0], kernel: cells[1], model: cells[2], replace: cells[3], data: cells[4])
    }
    let images = Dictionary(
      try rows("networks").compactMap { row in
        row["test_images"].flatMap { Int($0) }.map { (network(row), $0) }
      }
    ) { first, _ in first }
    let epochs = Dictionary(grouping: try rows("training")) { row in
      [row["seed"] ?? ""] + columns.map { row[$0] ?? "" }
    }
    return epochs.values.compactMap { rows in
      // The test split is used after one epoch; in older tables after each.
      func epoch(_ row: ReportData.Row) -> Double { row.number("epoch") ?? 0 }
      let tested = rows.filter { $0.number("test_top1") != nil }
      guard let last = tested.max(by: { epoch($0) < epoch($1) }),
        let seed = last["seed"].flatMap({ Int($0) }), let top1 = last.number("test_top1"),
        let epochs = rows.map(epoch).max(), let images = images[network(last)]
      else { return nil }
      let key = columns.map { last[$0] ?? "" } + ["\(epochs)", "\(images)"]
      return ComparedTraining(
        network: network(last), key: key.joined(separator: "\n"), seed: seed, top1: top1, images: images,
        isRight: nil)
    }
  }
}
