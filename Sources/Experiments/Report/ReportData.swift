import Foundation
import Learning
import Tensors

/// The contents of a folder of results; missing tables are empty.
struct ReportData {
  /// A row of a table.
  typealias Row = [String: String]

  /// The tables by their files' names without `.csv`, in the order of the page.
  let tables: [(name: String, table: CSVTable)]
  /// How well each proxy orders the networks of a set by their accuracy: made from networks.csv where it has enough rows.
  let quality: ProxyQuality?
  /// The machine that they were measured on, if there is a machine.json.
  let machine: MachineRecord?
  /// Receptive fields: fields/KERNEL.npy, as sweeps and `experiment field --map DIR/fields` write them.
  let fields: [(kernel: String, array: FieldMap)]

  /// Filters and feature maps: the rows of features.csv, each with its picture, a PNG file.
  let features: [(row: Row, picture: Data)]

  /// The pixels of the images that learned offsets are drawn on: offsets-image.csv.
  let imagePixels: [Row]

  /// The tables that a report can show, and where they come from.
  static let names = [
    "networks", "operators", "training", "proxies", "field", "fields", "trainability", "layers", "offsets",
    "confusion", "features",
  ]

  /// Reads a folder.
  ///
  /// - Throws: a ``WorkbenchError`` if there is nothing to report, or a file cannot be read.
  init(_ folder: URL) throws {
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    let found = try Self.names.filter { FileManager.default.fileExists(atPath: path("\($0).csv")) }
      .map { (name: $0, table: try CSVTable(file: path("\($0).csv"))) }
    quality = Self.quality(found)
    tables =
      found
      + (quality.map { [("proxy_quality", $0.table), ("proxy_operators", $0.operatorTable)] } ?? [])
      .filter { !$0.table.rows.isEmpty }
    machine = MachineRecord.read(path("machine.json"))
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path("fields"))) ?? []
    // A sweep's table assigns the maps to kernels; other maps are named by their kernels.
    let named = tables.first { $0.name == "fields" }?.table.rows ?? []
    fields = try files.sorted().filter { $0.hasSuffix(".npy") }.map { file in
      let stem = String(file.dropLast(".npy".count))
      let row = named.first { $0["map"] == stem }
      return (row?.key(["group", "kernel"]) ?? stem, try FieldMap(path("fields/\(file)")))
    }
    features = (found.first { $0.name == "features" }?.table.rows ?? []).compactMap { row in
      guard let name = row["file"], name == FieldStudy.fileName([name]), name.hasSuffix(".png"),
        let file = try? RegularFile(path("features/\(name)"), limit: 1 << 22),
        let bytes = try? file.read(file.size)
      else { return nil }
      return (row, Data(bytes))
    }
    let image = path("offsets-image.csv")
    imagePixels = FileManager.default.fileExists(atPath: image) ? try CSVTable(file: image).rows : []
    guard !tables.isEmpty || !fields.isEmpty else {
      throw WorkbenchError(
        "\(folder.relativePath) holds no networks.csv, operators.csv or training.csv; give the output folder of a run or a sweep."
      )
    }
  }

  private static func quality(_ tables: [(name: String, table: CSVTable)]) -> ProxyQuality? {
    func table(_ name: String) -> CSVTable? { tables.first { $0.name == name }?.table }
    guard let networks = table("networks"), networks.columns.contains(where: { Proxy(rawValue: $0) != nil })
    else { return nil }
    let quality = ProxyQuality(networks.rows, training: table("training")?.rows ?? [])
    return quality.rows.contains { $0.count >= ProxyQuality.fewest } ? quality : nil
  }

  /// Where a table is from, as far as machine.json tells; nil if it does not say.
  func origin(_ table: String) -> String? {
    guard !["proxy_quality", "proxy_operators"].contains(table) else {
      return "Made by ‘experiment report’ from networks.csv."
    }
    guard let machine, let own = machine.tables else { return nil }
    return own.contains("\(table).csv")
      ? "Made by: \(machine.origin)"
      : "Made by another command than the other tables; which one is not recorded."
  }

  /// The rows of a table; none if it is not there.
  func rows(_ name: String) -> [Row] { tables.first { $0.name == name }?.table.rows ?? [] }

  /// The kernels of all tables, in the order of their first rows: each has one look in all pictures.
  var kernels: [String] {
    ["networks", "operators", "training"].flatMap { rows($0).compactMap { $0["kernel"] } }.uniqued()
  }
}

extension ReportData.Row {
  /// A cell as a finite number.
  func number(_ column: String) -> Double? {
    self[column].flatMap(Double.init).flatMap { $0.isFinite ? $0 : nil }
  }

  /// Some cells as a key, without those that are empty.
  func key(_ columns: [String]) -> String {
    columns.compactMap { self[$0] }.filter { !$0.isEmpty }.joined(separator: ", ")
  }
}

/// Rows by a key, both in the order of the table.
func grouped(_ rows: [ReportData.Row], by columns: [String]) -> [(key: String, rows: [ReportData.Row])] {
  var order: [String] = [], found: [String: [ReportData.Row]] = [:]
  for row in rows {
    let key = row.key(columns)
    if found[key] == nil { order.append(key) }
    found[key, default: []].append(row)
  }
  return order.map { ($0, found[$0] ?? []) }
}

extension MachineRecord {
  /// The date, the commit and the command.
  var origin: String {
    "\(date)\(commit.map { ", commit \($0)" } ?? ""); \(command.map(Escape.shell).joined(separator: " "))"
  }
}
