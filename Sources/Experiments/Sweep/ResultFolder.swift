import Foundation
import Tensors

/// An output folder: its contents and their owner.
struct ResultFolder {
  /// The path, as the user gave it.
  let path: String
  /// The record of the last command that wrote here.
  let machine: MachineRecord?

  /// Looks at a folder, which need not exist; changes nothing.
  init(_ path: String) {
    self.path = path
    machine = MachineRecord.read(
      URL(fileURLWithPath: path, isDirectory: true).appendingPathComponent("machine.json").path)
  }

  /// The path of a file in it.
  func path(_ name: String) -> String {
    URL(fileURLWithPath: path, isDirectory: true).appendingPathComponent(name).path
  }

  /// Makes it and the folder of its records.
  func make() throws {
    do {
      try FileManager.default.createDirectory(
        at: SweepRecords.folder(path), withIntermediateDirectories: true)
    } catch {
      let exists = FileManager.default.fileExists(atPath: path)
      throw WorkbenchError(
        "The folder \(path) cannot be \(exists ? "written to" : "made"); choose another one with --output.")
    }
  }

  /// Refuses a folder whose tables are another experiment's, or are not made from records and would be lost.
  func check(_ experiment: MachineRecord.Experiment) throws {
    let owner = machine?.experiment ?? (!SweepRecords.names(in: path).isEmpty ? .sweep : nil)
    if let owner, owner != experiment {
      throw refusal("holds the results of \(owner == .sweep ? "a sweep" : "‘experiment run’")")
    }
    let tables = SweepTables.main.filter { FileManager.default.fileExists(atPath: path("\($0).csv")) }
    if owner == nil, let table = tables.first {
      throw refusal("holds a \(table).csv that was not made from records and would be lost")
    }
  }

  /// Refuses to replace tables by some that lack rows of theirs.
  func check(_ tables: SweepTables) throws {
    guard let lost = tables.lost(from: self) else { return }
    throw refusal("holds results that this run would not have, such as \(lost)")
  }

  private func refusal(_ reason: String) -> WorkbenchError {
    WorkbenchError(
      "\(path) \(reason); choose another folder with --output, or, with run and sweep, start again with --force."
    )
  }

  /// Removes the records, what is kept of runs without one, and the tables that were made from records.
  func clear() {
    for name in SweepRecords.names(in: path) { unlink(path("records/\(name).json")) }
    for folder in ["checkpoints", "failures"] { try? FileManager.default.removeItem(atPath: path(folder)) }
    remove(machine?.tables ?? SweepTables.main.map { "\($0).csv" })
  }

  /// Removes tables, and the maps that they name.
  func remove(_ tables: [String]) {
    for table in tables where SweepTables.all.contains(where: { table == "\($0).csv" }) {
      if table == "fields.csv" { removeMaps(except: []) }
      unlink(path(table))
    }
  }

  /// Removes the maps that fields.csv names, but for some; a user's own stay.
  func removeMaps(except kept: Set<String>) {
    let named = ((try? CSVTable(file: path("fields.csv")))?.rows ?? []).compactMap { $0["map"] }
    for map in named where !map.isEmpty && map == FieldStudy.fileName([map]) && !kept.contains(map) {
      unlink(path("fields/\(map).npy"))
    }
  }

  /// Makes a folder in it, if there is none.
  func makeFolder(_ name: String) throws {
    guard mkdir(path(name), 0o777) == 0 || errno == EEXIST else {
      throw WorkbenchError("The folder \(path(name)) cannot be made: \(String(cString: strerror(errno))).")
    }
  }

  /// Removes what is kept of runs without a record, of those that have one.
  func removeRemains(where isDone: (String) -> Bool) {
    for folder in ["checkpoints", "failures"] {
      for file in (try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? []
      where isDone(String(file.prefix { $0 != "." })) { unlink(path("\(folder)/\(file)")) }
      rmdir(path(folder))
    }
  }

  /// Removes what interrupted writing of tables left behind: for who has claimed the tables, and writes no others.
  func removeLeftovers() {
    for folder in [path, path("records")] {
      for file in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      where AtomicFile.isLeftover(file) { unlink("\(folder)/\(file)") }
    }
  }
}
