import Foundation
import Tensors

/// A file of events that grows while TensorBoard reads it. Unlike all other files it is not written at once: its readers
/// stop before a record that is not whole.
final class EventFile {
  private let handle: FileHandle
  private let path: String

  /// A new file in a folder, which is made if it does not exist. A resumed training adds a file.
  init(folder: String) throws {
    try Self.makeFolder(folder)
    let time = Date().timeIntervalSince1970
    let host = FieldStudy.fileName([ProcessInfo.processInfo.hostName])
    path = "\(folder)/events.out.tfevents.\(Int(time)).\(host).\(getpid()).\(UInt16.random(in: 0 ... .max))"
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.failure(path) }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try write(EventLog(time: time).data)
  }

  /// Adds the values of a step.
  func add(step: Int, _ scalars: [(tag: String, value: Double?)]) throws {
    try write(EventLog.event(step: step, time: Date().timeIntervalSince1970, scalars))
  }

  private func write(_ data: Data) throws {
    do { try handle.write(contentsOf: data) } catch { throw Self.failure(path) }
  }

  /// Makes a folder for events.
  static func makeFolder(_ folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("The folder \(folder) cannot be made; choose another one with --tensorboard.")
    }
  }

  private static func failure(_ path: String) -> WorkbenchError {
    WorkbenchError("\(path) cannot be written; check its permissions and the free space.")
  }
}
