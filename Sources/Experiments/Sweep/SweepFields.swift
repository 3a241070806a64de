import Foundation
import Kernels
import Learning
import Tensors

/// What receptive fields a sweep measures: of stacks of each kernel, as `experiment field` without `--model`.
struct SweepFields: Sendable {
  var depth = 10, window = 3, channels = 32
  var size = Pair(61)
  var seeds = 5, batch = 4

  /// What of it defines a run.
  var definition: [String: String] {
    [
      "depth": "\(depth)", "window": "\(window)", "channels": "\(channels)", "size": "\(size)",
      "seeds": "\(seeds)", "batch": "\(batch)",
    ]
  }

  /// What all rows of the table share.
  var cells: [(column: String, cell: String)] {
    [
      ("model", "stack"), ("depth", "\(depth)"), ("kernel_size", "\(window)"), ("channels", "\(channels)"),
      ("seeds", "\(seeds)"), ("batch", "\(batch)"),
    ]
  }

  /// Measures one kernel.
  func measure(_ kernel: KernelChoice, threads: Int) throws -> RecordedField {
    let plan = FieldStudy.Plan(size: size, channels: channels, seeds: seeds, batch: batch, threads: threads)
    let study = try FieldStudy([kernel], plan) { kernel, seed in
      try FieldStudy.stack(kernel, depth: depth, window: window, channels: channels, seed: seed)
    }
    return RecordedField(study.rows[0])
  }
}

/// A kernel's receptive field in a record.
struct RecordedField: Codable {
  var summary: FieldSummary?
  /// Each pixel's share of the contributions, row by row: Float32, little-endian; Base64 in the file.
  var shares: Data?
  var refusal: String?

  init(_ row: FieldStudy.Row) {
    summary = row.field.flatMap(FieldSummary.init)
    shares = row.field.map { field in
      field.shares.reduce(into: Data()) { data, share in
        withUnsafeBytes(of: Float(share).bitPattern.littleEndian) { data.append(contentsOf: $0) }
      }
    }
    refusal = row.refusal
  }

  /// The map, height × width; nil if the record holds what cannot be.
  var map: Tensor? {
    guard let summary, let shares, (1...4096).contains(summary.height), (1...4096).contains(summary.width),
      shares.count == 4 * summary.height * summary.width
    else { return nil }
    let bytes = [UInt8](shares)
    let values = (0..<bytes.count / 4).map { index in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[4 * index + $1]) << UInt32(8 * $1) })
    }
    return Tensor(values, [summary.height, summary.width])
  }
}

/// fields.csv and the maps that it names.
struct FieldFiles {
  /// The table of all groups, with the name of each map in the folder `fields`.
  let table: CSVTable
  private var maps: [(file: String, map: Tensor)] = []

  /// The fields of some groups; nil if none has any.
  init?(_ plan: SweepPlan, _ records: [String: SweepRecord]) {
    let isGrouped = plan.groups.contains { $0.name != nil }
    var whole: CSVTable?, names = Set<String>()
    for group in plan.groups {
      for run in group.fields {
        guard case .field(let settings, let kernel) = run.work else { continue }
        let field = records[run.name]?.result.field
        guard let field else { continue }
        var cells = isGrouped ? ["group": group.name ?? "", "map": ""] : ["map": ""]
        if let map = field.map {
          let stem = FieldStudy.fileName((isGrouped ? [group.name ?? ""] : []) + [kernel.item])
          let file = (1...).lazy.map { $0 == 1 ? stem : "\(stem)-\($0)" }.first { names.insert($0).inserted }
          cells["map"] = file ?? stem
          maps.append((file ?? stem, map))
        }
        let table = CSVTable(fields: [(kernel.item, field.summary, field.refusal)], settings.cells)
        var result = whole ?? CSVTable(columns: table.columns + ["map"] + (isGrouped ? ["group"] : []))
        result.append(table, cells)
        whole = result
      }
    }
    guard let whole else { return nil }
    table = whole
  }

  /// Writes them; maps that the last table named and this one does not are removed.
  func write(to folder: URL) throws {
    let place = folder.appendingPathComponent("fields", isDirectory: true)
    let path = folder.appendingPathComponent("fields.csv").path
    do {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("The folder \(place.path) cannot be made; see who may write there.")
    }
    let old = ((try? CSVTable(file: path))?.rows ?? []).compactMap { $0["map"] }
    let kept = Set(maps.map(\.file))
    for file in old where !file.isEmpty && file == FieldStudy.fileName([file]) && !kept.contains(file) {
      unlink(place.appendingPathComponent("\(file).npy").path)
    }
    for (file, map) in maps {
      try NpyFile.write(map, to: place.appendingPathComponent("\(file).npy").path)
    }
    try table.write(to: path)
  }
}
