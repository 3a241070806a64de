import Tensors

/// A table for people: columns as wide as they need to be, the first one to the left, numbers to the right.
package struct TextTable {
  private let header: [String]
  private var rows: [[String]] = []
  private let leftColumns: Set<Int>

  /// An empty table; `left` names the columns, by number, that are set to the left.
  package init(_ header: [String], left: Set<Int> = [0]) {
    self.header = header
    leftColumns = left
  }

  /// Adds a row with a cell for each column; names that would break the line, or move the terminal's cursor, do not.
  package mutating func append(_ row: [String]) { rows.append(row.map(\.onOneLine)) }

  /// How wide the longest line can be.
  var width: Int { widths.reduce(-2) { $0 + $1 + 2 } }

  private var widths: [Int] {
    header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
  }

  /// The lines, with a rule below the header.
  package var text: String {
    let widths = widths
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { column, cell -> String in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return leftColumns.contains(column) ? cell + space : space + cell
      }
      var text = padded.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      return text
    }
    let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")
    return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
  }
}
