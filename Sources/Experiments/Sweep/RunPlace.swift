import Foundation

/// Where a run was done, as far as results or times can depend on it.
struct RunPlace: Hashable, Sendable {
  /// The machine's name; empty if that is not known.
  let host: String
  /// What the program was built for: rounding differs between instruction sets.
  let instructionSet: String
  /// The fingerprint of the program's file; empty if that is not known.
  let build: String

  /// The columns of tables that say it.
  static let columns = ["host", "isa", "build"]

  /// The cells for what comes from some places: several are joined by +, and what is not known is left out.
  static func cells(_ places: [RunPlace]) -> [String] {
    [\RunPlace.host, \.instructionSet, \.build].map { part in
      Set(places.map { String($0[keyPath: part].prefix(part == \.build ? 8 : 64)) })
        .filter { !$0.isEmpty }.sorted().joined(separator: "+")
    }
  }
}

extension CSVTable {
  /// The table with the columns that say where its rows come from, the same for all.
  func adding(_ place: RunPlace?) -> CSVTable {
    zip(RunPlace.columns, RunPlace.cells(place.map { [$0] } ?? [])).reduce(self) { $0.adding($1.0, $1.1) }
  }
}

extension Column {
  /// The columns that say where rows come from.
  static func places(_ places: @escaping (Row) -> [RunPlace]) -> [Column] {
    RunPlace.columns.enumerated().map { index, name in Column(name) { RunPlace.cells(places($0))[index] } }
  }
}
