import Foundation
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
  package var text: String { text(of: Array(header.indices)) }

  /// The lines for a terminal: columns that do not fit follow below, again with the first columns. If the output is
  /// not a terminal, each row is one line.
  package var fitted: String {
    isatty(STDOUT_FILENO) == 1 ? text(within: Terminal.width(STDOUT_FILENO)) : text
  }

  /// The lines, of at most the given number of characters unless a single column is wider.
  func text(within limit: Int) -> String {
    let widths = widths
    func width(_ columns: [Int]) -> Int { columns.reduce(-2) { $0 + widths[$1] + 2 } }
    var key = Array(header.indices.prefix { leftColumns.contains($0) })
    while key.count > 1, width(key) > limit * 2 / 3 { key.removeLast() }
    var blocks = [key]
    for column in header.indices.dropFirst(key.count) {
      let last = blocks[blocks.count - 1]
      if last.count > key.count, width(last + [column]) > limit {
        blocks.append(key + [column])
      } else {
        blocks[blocks.count - 1].append(column)
      }
    }
    return blocks.map(text(of:)).joined(separator: "\n\n")
  }

  private func text(of columns: [Int]) -> String {
    let widths = widths
    func line(_ cells: [String]) -> String {
      let padded = columns.map { column -> String in
        let cell = cells[column], space = String(repeating: " ", count: widths[column] - cell.count)
        return leftColumns.contains(column) ? cell + space : space + cell
      }
      var text = padded.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      return text
    }
    let rule = columns.map { String(repeating: "─", count: widths[$0]) }.joined(separator: "  ")
    return ([line(header), rule] + rows.map(line)).joined(separator: "\n")
  }
}
