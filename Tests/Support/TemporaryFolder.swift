import Foundation

/// An empty folder for the tests of a suite, which is removed together with the suite's instance.
public final class TemporaryFolder: Sendable {
  /// Its address.
  public let url = FileManager.default.temporaryDirectory.appendingPathComponent("workbench-\(UUID())")

  /// A new folder.
  public init() {
    do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
      preconditionFailure("\(url.path) cannot be made: \(error)")
    }
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Its path.
  public var path: String { url.path }

  /// The address of a file in it.
  public func appendingPathComponent(_ name: String) -> URL { url.appendingPathComponent(name) }
}
