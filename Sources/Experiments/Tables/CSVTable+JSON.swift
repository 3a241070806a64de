import Foundation

extension CSVTable {
  /// The rows as JSON: a list of objects whose names are the columns. Cells that are numbers are numbers, empty ones null.
  package var json: String {
    let rows = rows.map { row in
      "{" + columns.map { "\(Self.json($0)): \(Self.cell(row[$0] ?? ""))" }.joined(separator: ", ") + "}"
    }
    return rows.isEmpty ? "[]" : "[\n    " + rows.joined(separator: ",\n    ") + "\n  ]"
  }

  /// Tables as one object, each under its name.
  package static func json(_ tables: KeyValuePairs<String, CSVTable>) -> String {
    "{\n" + tables.map { "  \(json($0.key)): \($0.value.json)" }.joined(separator: ",\n") + "\n}"
  }

  private static func cell(_ text: String) -> String {
    if text.isEmpty { return "null" }
    return isNumber(text) ? text : json(text)
  }

  /// Whether it is a number as JSON writes one: no sign but minus, no zero before other digits, nothing else.
  private static func isNumber(_ text: String) -> Bool {
    let number = #/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/#.matchingSemantics(.unicodeScalar)
    return text.wholeMatch(of: number) != nil
  }

  /// A text in quotes.
  private static func json(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20: result += String(format: "\\u%04x", scalar.value)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
