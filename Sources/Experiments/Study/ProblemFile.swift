import Foundation
import Kernels
import Tensors

/// A file of problem strings, one a line, as oneDNN's benchdnn reads them.
///
/// Empty lines and `#` comments are passed over; `--batch=FILE` reads another file, beside this one.
package enum ProblemFile {
  /// A line: a problem, or the reason why it cannot be measured here.
  package struct Line: Sendable {
    /// The line as written.
    package let text: String
    /// The problem, unless it is of a kind that is not offered.
    package let problem: Result<ConvolutionProblem, ConvolutionProblem.Unsupported>
  }

  /// The problems of a file; an error with its line for one that cannot be read.
  ///
  /// - Parameter batch: the number of images, in place of the strings'.
  package static func read(_ path: String, batch: Int?) throws -> [Line] {
    var lines: [Line] = [], seen = 0
    try read(path, batch, depth: 0, into: &lines, &seen)
    guard !lines.isEmpty else {
      throw WorkbenchError("\(path) holds no problem; give a file with one problem string per line.")
    }
    return lines
  }

  /// The most problems, and lines of any kind, that files may hold together: files that include each other would never
  /// end.
  private static let most = 100_000, mostLines = 1_000_000

  /// One problem string.
  package static func line(_ text: String, batch: Int?) throws -> Line {
    do {
      return Line(text: text, problem: .success(try ConvolutionProblem(parsing: text, batch: batch)))
    } catch let unsupported as ConvolutionProblem.Unsupported {
      return Line(text: text, problem: .failure(unsupported))
    }
  }

  /// - Parameter seen: the lines looked at so far.
  private static func read(
    _ path: String, _ batch: Int?, depth: Int, into lines: inout [Line], _ seen: inout Int
  ) throws {
    guard depth < 8 else {
      throw WorkbenchError(
        "\(path): these files include each other in a cycle; remove one of the references.")
    }
    let file = try RegularFile(path, limit: 16 << 20)
    guard let content = String(validating: try file.read(file.size), as: UTF8.self) else {
      throw WorkbenchError("\(path) is not text; give a file with one problem string per line.")
    }
    for (index, raw) in content.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      seen += 1
      guard seen <= mostLines else {
        throw WorkbenchError(
          "\(path): there are more than \(mostLines) lines in this file and those before it; remove some.")
      }
      let text = raw.trimmingCharacters(in: .whitespacesAndNewlines)
      if text.isEmpty || text.hasPrefix("#") { continue }
      do {
        if text.hasPrefix("--batch=") {
          let other = URL(fileURLWithPath: path).deletingLastPathComponent()
            .appendingPathComponent(String(text.dropFirst("--batch=".count)))
          try read(other.path, batch, depth: depth + 1, into: &lines, &seen)
        } else if text.hasPrefix("--") {
          lines.append(
            Line(
              text: text,
              problem: .failure(.init(description: "it is an option of benchdnn, not a problem."))))
        } else {
          lines.append(try line(text, batch: batch))
        }
        guard lines.count <= most else {
          throw WorkbenchError(
            "there are more than \(most) problems in this file and those before it; remove some.")
        }
      } catch let error as WorkbenchError {
        throw depth > 0 && text.hasPrefix("--batch=")
          ? error : WorkbenchError("\(path), line \(index + 1): \(error)")
      }
    }
  }
}
