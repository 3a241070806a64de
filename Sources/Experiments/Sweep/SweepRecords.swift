import Foundation
import Tensors

/// The records of a sweep: the folder DIR/records, one file for each finished run.
struct SweepRecords {
  /// What is kept of the runs, by name: complete records only.
  private(set) var known: [String: SweepRecord] = [:]
  /// What was found that cannot be trusted, one sentence each.
  private(set) var warnings: [String] = []
  /// Files of the folder that cannot be trusted, by the name that they take.
  private var untrusted: Set<String> = []
  /// Records that are there, and that nobody has looked at.
  private(set) var unread: Set<String> = []
  private let folder: URL

  /// Where the records of an output folder are.
  static func folder(_ output: String) -> URL {
    URL(fileURLWithPath: output, isDirectory: true).appendingPathComponent("records", isDirectory: true)
  }

  /// Reads the records of an output folder, if there are any; changes nothing.
  ///
  /// - Parameter isRead: the names of those that are read: of the others it is only known that they are there.
  init(_ output: String, where isRead: (String) -> Bool = { _ in true }) throws {
    folder = Self.folder(output)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for file in names.sorted() where !file.hasPrefix(".") && !file.contains(".json.rejected") {
      let name = String(file.prefix { $0 != "." })
      if file == "\(name).json", !isRead(name) {
        unread.insert(name)
        continue
      }
      do {
        guard file == "\(name).json" else { throw Distrust(reason: "is not a record's name") }
        known[name] = try read(name)
      } catch let distrust as Distrust {
        untrusted.insert(name)
        warnings.append(
          "\(folder.appendingPathComponent(file).path) \(distrust.reason), so it is not used.")
      }
    }
  }

  /// Why a file is not a record.
  private struct Distrust: Error { let reason: String }

  private func read(_ name: String) throws -> SweepRecord {
    let path = url(name).path
    guard let file = try? RegularFile(path, limit: 256 << 20), let bytes = try? file.read(file.size),
      let record = try? SweepRecord.decoder.decode(SweepRecord.self, from: Data(bytes))
    else { throw Distrust(reason: "cannot be read as a record") }
    guard record.format == SweepRecord.currentFormat else {
      throw Distrust(reason: "is of another format, ‘\(record.format)’")
    }
    guard try SweepRecord.name(record.definition) == name else {
      throw Distrust(reason: "does not have the name that follows from its definition")
    }
    guard try record.expectedChecksum() == record.checksum else {
      throw Distrust(reason: "was changed after it was written")
    }
    return record
  }

  private func url(_ name: String) -> URL { folder.appendingPathComponent("\(name).json") }

  /// The names of the records of an output folder, as its files have them.
  static func names(in output: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder(output).path)) ?? []
    return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
      .filter { $0.count == 32 && $0.allSatisfy(\.isHexDigit) }
  }

  /// Whether a file has this record's name but is none that could be used.
  func isUntrusted(_ name: String) -> Bool { untrusted.contains(name) }

  /// Whether a run has a record now, perhaps another process's; asks the file system.
  ///
  /// - Parameter build: what must have made it; nil for any.
  mutating func isDone(_ name: String, by build: String?) -> Bool {
    if let record = known[name], build == nil || record.timing.build == build { return true }
    guard access(url(name).path, F_OK) == 0 else { return false }
    if build == nil && !untrusted.contains(name) { return true }
    guard let record = try? read(name), build == nil || record.timing.build == build else { return false }
    known[name] = record
    untrusted.remove(name)
    return true
  }

  /// Reads those records among `names` that are there by now, or were not read yet.
  mutating func read(_ names: [String]) {
    for name in names where known[name] == nil && !untrusted.contains(name) {
      guard access(url(name).path, F_OK) == 0 else { continue }
      do { known[name] = try read(name) } catch {
        untrusted.insert(name)
        let reason = (error as? Distrust)?.reason ?? "cannot be read as a record"
        warnings.append("\(url(name).path) \(reason), so it is not used.")
      }
      unread.remove(name)
    }
  }

  /// Keeps a record, whole or not at all. A file that has its name but cannot be trusted is moved aside, not lost.
  ///
  /// - Parameter write: how a file is written.
  mutating func add(
    _ record: SweepRecord, _ write: (Data, String) throws -> Void = { try AtomicFile.write($0, to: $1) }
  ) throws {
    let name = try SweepRecord.name(record.definition)
    if untrusted.remove(name) != nil, FileManager.default.fileExists(atPath: url(name).path) {
      let aside = (1...10_000).lazy.map { "\(name).json.rejected\($0)" }
        .map(folder.appendingPathComponent).first { !FileManager.default.fileExists(atPath: $0.path) }
      guard let aside, (try? FileManager.default.moveItem(at: url(name), to: aside)) != nil else {
        throw WorkbenchError(
          "\(url(name).path) is not a record and cannot be moved aside; move it elsewhere.")
      }
      warnings.append("\(url(name).path) was moved aside, to \(aside.lastPathComponent).")
    }
    try write(try record.fileContents(), url(name).path)
    known[name] = record
  }
}
