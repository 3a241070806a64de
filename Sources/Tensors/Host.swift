import Foundation

/// The processor that this process runs on.
package enum Host {
  /// Its name, as the system reports it.
  package static var processorName: String { field("model name") ?? "unknown" }

  /// Its features, by Linux's names; nil if the system does not list them.
  package static var features: Set<String>? {
    field("flags").map { Set($0.split(separator: " ").map(String.init)) }
  }

  private static func field(_ name: String) -> String? {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") {
      let sides = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      if sides.count == 2 && sides[0] == name { return sides[1] }
    }
    return nil
  }
}
