import Foundation
import Tensors

/// A folder of results, as it is now or as it was in a commit.
enum ResultSource {
  /// Reads `FOLDER`, or takes `COMMIT:FOLDER` out of the repository that this process works in; `COMMIT` alone is that
  /// commit's `results`.
  ///
  /// - Throws: a ``WorkbenchError`` if there is neither.
  static func read<Contents>(_ text: String, _ body: (String) throws -> Contents) throws -> Contents {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: text, isDirectory: &isFolder), isFolder.boolValue {
      return try body(text)
    }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let place = parts.count == 2 && !parts[1].isEmpty ? parts[1] : "results"
    guard
      let commit = Self.git("rev-parse", "--verify", "--quiet", "--end-of-options", parts[0] + "^{commit}")
    else {
      throw WorkbenchError(
        "‘\(text)’ is neither a folder nor COMMIT:FOLDER of a git repository here; give a folder of results, such as results, or HEAD~1:results."
      )
    }
    let made = FileManager.default.temporaryDirectory.appendingPathComponent(
      "experiment-\(UUID().uuidString)")
    do { try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true) } catch {
      throw WorkbenchError("The folder \(made.path) cannot be made; check its permissions.")
    }
    defer { try? FileManager.default.removeItem(at: made) }
    let archive = made.appendingPathComponent("archive.tar").path
    guard Self.git("archive", "--format=tar", "--output=\(archive)", "\(commit):\(place)") != nil,
      ChildProcess.run("/usr/bin/env", ["tar", "-xf", archive, "-C", made.path], limit: 600)?.status == 0
    else {
      throw WorkbenchError(
        "The commit \(commit.prefix(12)) has no folder \(place); give its path from the top of the repository."
      )
    }
    return try body(made.path)
  }

  private static func git(_ arguments: String...) -> String? {
    let end = ChildProcess.run("/usr/bin/env", ["git"] + arguments, limit: 600)
    guard let end, end.status == 0 else { return nil }
    return end.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
