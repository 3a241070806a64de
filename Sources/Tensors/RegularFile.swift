import Foundation

/// A file opened for sequential reading, whose size is known before anything is read.
///
/// Folders, devices and pipes are refused, so that a reader can compare a header with the file's size before it
/// allocates memory.
package struct RegularFile: ~Copyable {
  /// The name it was opened by, for error sentences.
  package let path: String
  /// The size of the whole file in bytes.
  package let size: Int
  private let descriptor: Int32

  /// Opens the file at `path`.
  ///
  /// - Parameter limit: the largest size accepted, in bytes.
  /// - Throws: a ``WorkbenchError`` if it is missing, unreadable, not a regular file, or larger than `limit`.
  package init(_ path: String, limit: Int = .max) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw RegularFile.unreadable(path, errno) }
    var information = stat()
    guard fstat(descriptor, &information) == 0 else {
      let code = errno
      close(descriptor)
      throw RegularFile.unreadable(path, code)
    }
    let kind = information.st_mode & S_IFMT
    let size = Int(information.st_size)
    guard kind == S_IFREG, size <= limit else {
      close(descriptor)
      if kind == S_IFDIR {
        throw WorkbenchError("\(path) cannot be read because it is a folder; give the name of a file.")
      }
      if kind != S_IFREG {
        throw WorkbenchError("\(path) cannot be read because it is not a regular file; save the data first.")
      }
      throw WorkbenchError(
        "\(path) is refused because its \(size) bytes are more than the limit of \(limit).")
    }
    self.path = path
    self.size = size
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Reads the next `count` bytes; the caller has checked that the file has as many.
  ///
  /// - Throws: a ``WorkbenchError`` if the file ends before, or the system reports a failure.
  package func read(_ count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: max(count, 0)) { buffer, filled in
      while filled < count {
        let target = UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...].prefix(1 << 30))
        let received = Foundation.read(descriptor, target.baseAddress, min(target.count, count - filled))
        if received < 0 && errno == EINTR { continue }
        guard received >= 0 else { throw RegularFile.unreadable(path, errno) }
        guard received > 0 else {
          throw WorkbenchError("\(path) ends after fewer bytes than expected; it may be truncated.")
        }
        filled += received
      }
    }
  }

  /// Passes over the next `count` bytes.
  package func skip(_ count: Int) throws {
    guard lseek(descriptor, off_t(count), SEEK_CUR) >= 0 else { throw RegularFile.unreadable(path, errno) }
  }

  private static func unreadable(_ path: String, _ code: Int32) -> WorkbenchError {
    let name = path.isEmpty ? "A file without a name" : path
    return WorkbenchError("\(name) cannot be read: \(String(cString: strerror(code))).")
  }
}
