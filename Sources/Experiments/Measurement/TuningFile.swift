import Foundation
import Tensors

/// Algorithms chosen by measurement, by problem, as a JSON file.
package enum TuningFile {
  /// The choices in a file; none if it does not exist yet.
  package static func read(_ path: String) throws -> [String: String] {
    guard FileManager.default.fileExists(atPath: path) else { return [:] }
    let file = try RegularFile(path, limit: 64 << 20)
    do {
      return try JSONDecoder().decode([String: String].self, from: Data(try file.read(file.size)))
    } catch is DecodingError {
      throw WorkbenchError("\(path) is not a file of --tune; delete it, or name another file.")
    }
  }

  /// The file of some choices.
  package static func contents(_ choices: [String: String]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(choices) + Data("\n".utf8)
  }
}
