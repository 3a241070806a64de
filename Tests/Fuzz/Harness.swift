import Foundation
import Tensors

/// A reader of untrusted input, and what must hold of it.
struct Harness: Sendable {
  /// The name on the fuzzer's command line, and of the folder of kept inputs.
  let name: String
  /// Valid inputs, from which others are made.
  let seeds: @Sendable () throws -> [[UInt8]]
  /// Reads an input. Refusals are `WorkbenchError`s; anything else that is thrown, and every trap, is a finding.
  let read: @Sendable ([UInt8]) throws -> Void

  init(
    _ name: String, seeds: @escaping @Sendable () throws -> [[UInt8]],
    read: @escaping @Sendable ([UInt8]) throws -> Void
  ) {
    self.name = name
    self.seeds = seeds
    self.read = read
  }

  /// A harness of texts: bytes that are no UTF-8 are repaired, as the readers of files refuse them anyway.
  init(_ name: String, texts: [String], read: @escaping @Sendable (String) throws -> Void) {
    self.init(
      name, seeds: { texts.map { Array($0.utf8) } }, read: { try read(String(decoding: $0, as: UTF8.self)) })
  }

  /// All of them.
  static let all: [Harness] = arrays + data + texts + results

  /// Reads an input; true if it was accepted, and not refused with a sentence.
  func accepts(_ input: [UInt8]) throws -> Bool {
    do {
      try read(input)
      return true
    } catch let refusal as WorkbenchError {
      guard !refusal.description.isEmpty, refusal.description == refusal.description.onOneLine else {
        throw Finding("a refusal that is no sentence on one line: ‘\(refusal)’")
      }
      return false
    }
  }
}

/// Something that must not be.
struct Finding: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Refuses what must not be.
func require(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws {
  guard condition else { throw Finding(otherwise()) }
}

/// What the harnesses are made of, which cannot fail.
func certain<Value>(_ make: () throws -> Value) -> Value {
  do { return try make() } catch { fatalError("\(error)") }
}

/// A folder for files that readers take by their path, in memory where the system has such a place.
enum Scratch {
  static let folder: String = {
    let place = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    let path = "\(place)/workbench-fuzz-\(ProcessInfo.processInfo.processIdentifier)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }()

  /// Removes everything.
  static func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Writes a file and gives its path.
  static func file(_ bytes: [UInt8], _ name: String) throws -> String {
    let path = "\(folder)/\(name)"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    try require(written == bytes.count, "\(path) cannot be written")
    return path
  }

  /// Writes a file that has several names, and gives its folder.
  static func file(_ bytes: [UInt8], _ folder: String, named names: [String]) throws -> String {
    let place = "\(Self.folder)/\(folder)"
    if !FileManager.default.fileExists(atPath: place) {
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      _ = try file([], "\(folder)/\(names[0])")
      for name in names.dropFirst() {
        try FileManager.default.linkItem(atPath: "\(place)/\(names[0])", toPath: "\(place)/\(name)")
      }
    }
    _ = try file(bytes, "\(folder)/\(names[0])")
    return place
  }

  /// What a writer of files writes.
  static func contents(_ name: String, _ write: (String) throws -> Void) throws -> [UInt8] {
    let path = "\(folder)/\(name)"
    try write(path)
    return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// An empty folder.
  static func folder(_ name: String) throws -> String {
    let path = "\(folder)/\(name)"
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }
}

/// Several parts in one input: each begins with a line `== NAME`.
enum Parts {
  static func join(_ parts: [(name: String, bytes: [UInt8])]) -> [UInt8] {
    parts.flatMap { Array("== \($0.name)\n".utf8) + $0.bytes + [UInt8(ascii: "\n")] }
  }

  static func split(_ input: [UInt8]) -> [(name: String, bytes: [UInt8])] {
    let newline = UInt8(ascii: "\n"), mark = Array("== ".utf8)
    var parts: [(name: String, bytes: [UInt8])] = [], start = 0
    while start < input.count {
      let end = input[start...].firstIndex(of: newline) ?? input.count
      let line = input[start..<end]
      if line.starts(with: mark) {
        parts.append((String(decoding: line.dropFirst(mark.count), as: UTF8.self), []))
      } else if !parts.isEmpty {
        parts[parts.count - 1].bytes += line
        if end < input.count { parts[parts.count - 1].bytes.append(newline) }
      }
      start = end + 1
    }
    // The line's end before the next mark is no part of it.
    return parts.map { ($0.name, $0.bytes.last == newline ? $0.bytes.dropLast() : $0.bytes) }
  }
}
