import Foundation

/// Writes files completely or not at all.
package enum AtomicFile {
  /// Refuses a path that is a folder, or whose folder does not exist or is not writable. Called before long work, so
  /// that its results are not lost.
  package static func checkFolder(of path: String) throws {
    var existing = stat()
    if stat(path, &existing) == 0 {
      switch existing.st_mode & S_IFMT {
      case S_IFREG: break
      case S_IFDIR: throw WorkbenchError("‘\(path)’ is not a file that can be written; give the name of one.")
      default: return
      }
    }
    guard !path.isEmpty else {
      throw WorkbenchError("‘’ is not a file that can be written; give the name of one.")
    }
    let folder = URL(fileURLWithPath: try target(of: path)).deletingLastPathComponent().path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw WorkbenchError(
        "\(path) cannot be written because the folder \(folder) does not exist; create it first.")
    }
    guard FileManager.default.isWritableFile(atPath: folder) else {
      throw WorkbenchError(
        "\(path) cannot be written because you may not write to the folder \(folder); choose another one.")
    }
  }

  /// The file that a path leads to through symbolic links, whether it exists or not; the path itself, if it is none.
  ///
  /// - Throws: a ``WorkbenchError`` if the links form a cycle.
  package static func target(of path: String) throws -> String {
    var target = path
    for _ in 0..<40 {
      guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: target) else {
        return target
      }
      target =
        next.hasPrefix("/")
        ? next : ((target as NSString).deletingLastPathComponent as NSString).appendingPathComponent(next)
    }
    throw WorkbenchError("\(path) cannot be written because its symbolic links form a cycle; remove it.")
  }

  /// Whether two paths lead to the same file, also through links. Devices do not count as files: both may be
  /// `/dev/null`.
  package static func areSame(_ one: String, _ other: String) -> Bool {
    /// The folder without links, and the file's name in it.
    func place(_ path: String) -> String? {
      var existing = stat()
      if stat(path, &existing) == 0, existing.st_mode & S_IFMT != S_IFREG { return nil }
      guard let target = try? target(of: path) else { return nil }
      let folder = (target as NSString).deletingLastPathComponent
      guard let resolved = realpath(folder.isEmpty ? "." : folder, nil) else { return nil }
      defer { free(resolved) }
      return "\(String(cString: resolved))/\((target as NSString).lastPathComponent)"
    }
    guard let first = place(one) else { return false }
    return first == place(other)
  }

  private static let suffix = ".partial"

  /// Whether a file name is that of a temporary file left by an interrupted writer.
  package static func isLeftover(_ name: String) -> Bool {
    name.hasPrefix(".") && name.hasSuffix(suffix)
      && name.dropFirst().dropLast(suffix.count).allSatisfy(\.isHexDigit)
  }

  /// Writes `data` under a temporary name in the same folder, then renames it to `path`.
  ///
  /// A symbolic link stays, and its target is replaced or made; a device or a pipe such as `/dev/stdout` is written to
  /// directly.
  ///
  /// - Throws: a ``WorkbenchError`` that names the path and the reason; nothing is left behind, and an
  ///   existing file stays as it was.
  package static func write(_ data: Data, to path: String) throws {
    try write(to: path) { put in try put(data) }
  }

  /// The same for data in pieces, which `body` passes to its argument.
  package static func write(to path: String, _ body: ((Data) throws -> Void) throws -> Void) throws {
    guard let staged = try stage(path, body) else { return }
    try finish([staged])
  }

  /// Writes several files: all of them, or none if one cannot be written.
  package static func write(_ files: [(path: String, data: Data)]) throws {
    var staged: [Staged] = []
    do {
      for (path, data) in files {
        if let file = try stage(path, { put in try put(data) }) { staged.append(file) }
      }
    } catch {
      for file in staged { unlink(file.temporary) }
      throw error
    }
    try finish(staged)
  }

  /// A file under its temporary name, and its final path.
  private struct Staged {
    let temporary: String, target: String
    /// The user's name for it, for errors.
    let path: String
  }

  /// Writes under a temporary name; nil where it was written directly.
  private static func stage(
    _ path: String, _ body: ((Data) throws -> Void) throws -> Void
  ) throws -> Staged? {
    var existing = stat()
    guard stat(path, &existing) == 0 else { return try stage(path, permissions: nil, body) }
    switch existing.st_mode & S_IFMT {
    case S_IFDIR:
      throw WorkbenchError("\(path) cannot be written because it is a folder; give the name of a file.")
    case S_IFREG:
      guard access(path, W_OK) == 0 else { throw failure(path, errno) }
      return try stage(path, permissions: existing.st_mode & 0o777, body)
    default:
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw failure(path, errno) }
      defer { close(descriptor) }
      try body { try put($0, into: descriptor, path) }
      return nil
    }
  }

  private static func stage(
    _ path: String, permissions: mode_t?, _ body: ((Data) throws -> Void) throws -> Void
  ) throws -> Staged {
    let target = try target(of: path)
    let folder = (target as NSString).deletingLastPathComponent
    let name = ".\(String(UInt64.random(in: .min ... .max), radix: 16))\(suffix)"
    let temporary = (folder as NSString).appendingPathComponent(name)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      let code = errno
      if code == ENOENT, !folder.isEmpty, access(folder, F_OK) != 0 {
        throw WorkbenchError(
          "\(path) cannot be written because the folder \(folder) does not exist; create it first.")
      }
      throw failure(path, code)
    }
    if let permissions { fchmod(descriptor, permissions) }
    let written = Result { try body { try put($0, into: descriptor, path) } }
    let closed = close(descriptor)
    do {
      try written.get()
      guard closed == 0 else { throw failure(path, errno) }
    } catch {
      unlink(temporary)
      throw error
    }
    return Staged(temporary: temporary, target: target, path: path)
  }

  /// Gives files their names.
  private static func finish(_ files: [Staged]) throws {
    for (index, file) in files.enumerated() {
      guard rename(file.temporary, file.target) == 0 else {
        let error = failure(file.path, errno)
        for file in files[index...] { unlink(file.temporary) }
        throw error
      }
    }
  }

  private static func put(_ data: Data, into descriptor: Int32, _ path: String) throws {
    try data.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
        let written = Foundation.write(descriptor, chunk.baseAddress, chunk.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw failure(path, errno) }
        rest = rest.dropFirst(written)
      }
    }
  }

  private static func failure(_ path: String, _ code: Int32) -> WorkbenchError {
    let name = path.isEmpty ? "A file without a name" : path
    return WorkbenchError("\(name) cannot be written: \(String(cString: strerror(code))).")
  }
}
