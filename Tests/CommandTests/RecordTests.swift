import Foundation
import Testing

/// Records that exist stay readable: those of Fixtures/records-1 were made at commit 4a9909b, one or more of each kind.
@Suite struct RecordTests {
  private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/records-1")
  private static let tables = [
    "operators.csv", "networks.csv", "training.csv", "layers.csv", "fields.csv", "offsets.csv",
  ]

  /// Each run is found by its name, each record keeps its checksum, and the tables are made of them as they were then:
  /// what was a column has the same cells. Columns may be added.
  @Test func oldRecordsMakeTheSameTables() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("old-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for name in ["records", "machine.json"] {
      try FileManager.default.copyItem(
        at: Self.fixture.appendingPathComponent(name), to: folder.appendingPathComponent(name))
    }
    let outcome = try Experiment.run([
      "sweep", Self.fixture.appendingPathComponent("old.yaml").path, "--output", folder.path, "--threads",
      "1",
    ])
    #expect(outcome.status == 0 && outcome.output.contains("0 done now, 15 before"), "\(outcome.error)")
    #expect(!outcome.error.contains("is not used"), "\(outcome.error)")
    for name in Self.tables {
      let old = try Self.rows(Self.fixture.appendingPathComponent(name))
      let new = try Self.rows(folder.appendingPathComponent(name))
      #expect(old.count == new.count && old.count > 2, "\(name)")
      let places = old[0].map { new[0].firstIndex(of: $0) }
      #expect(!places.contains(nil), "\(name) has lost a column")
      for (line, (was, now)) in zip(old, new).enumerated() {
        // The data without a validation split have another name since.
        let cells = places.map {
          $0.map { now[$0].replacingOccurrences(of: ":validation=0", with: "") } ?? ""
        }
        #expect(was == cells, "\(name), line \(line + 1)")
      }
    }
  }

  /// The cells of a table whose quotes hold no quotes.
  private static func rows(_ file: URL) throws -> [[String]] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
      // Commas between quotes belong to a cell.
      line.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
        .map { $0 % 2 == 1 ? $1.replacingOccurrences(of: ",", with: ";") : String($1) }.joined()
        .split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
  }
}
