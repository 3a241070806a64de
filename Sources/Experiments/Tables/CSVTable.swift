import Foundation
import Tensors

/// A table as comma-separated values (RFC 4180): rows are dictionaries, columns have a fixed order.
package struct CSVTable: Sendable {
  /// The names of the columns.
  package private(set) var columns: [String]
  /// The rows: a missing column is an empty cell.
  package private(set) var rows: [[String: String]] = []

  /// An empty table.
  package init(columns: [String]) { self.columns = columns }

  /// Adds a row; every name must be a column's.
  package mutating func append(_ row: [String: String]) {
    precondition(row.keys.allSatisfy(columns.contains), "unknown column in \(row.keys.sorted())")
    rows.append(row)
  }

  /// Changes a cell; the column must be one.
  mutating func set(_ column: String, of row: Int, to cell: String) {
    precondition(columns.contains(column), "unknown column \(column)")
    rows[row][column] = cell
  }

  /// Adds the rows of another table, each with some more cells; columns that only it has come after the others.
  package mutating func append(_ other: CSVTable, _ cells: [String: String] = [:]) {
    columns += other.columns.filter { !columns.contains($0) }
    for row in other.rows { append(row.merging(cells) { $1 }) }
  }

  /// The table with one more column, after the others, that has the same cell in each row.
  func adding(_ column: String, _ cell: String) -> CSVTable {
    var table = CSVTable(columns: columns + [column])
    for row in rows { table.append(row.merging([column: cell]) { $1 }) }
    return table
  }

  /// The whole file: what `init(file:)` reads as the same table.
  package var text: String {
    let lines = [columns] + rows.map { row in columns.map { row[$0] ?? "" } }
    return lines.map { cells in
      // A line without anything on it would be passed over.
      cells == [""] ? "\"\"\n" : cells.map(Self.quoted).joined(separator: ",") + "\n"
    }.joined()
  }

  /// Writes the file, whole or not at all.
  package func write(to path: String) throws { try AtomicFile.write(Data(text.utf8), to: path) }

  /// A cell, in quotes where it holds what ends one, or begins as a file of another encoding's mark would. Bytes are
  /// looked at, not characters: `\r\n` and a comma with a combining mark are characters of their own.
  private static func quoted(_ cell: String) -> String {
    let quote = UInt8(ascii: "\"")
    guard
      cell.utf8.contains(where: { ",\"\n\r".utf8.contains($0) }) || cell.unicodeScalars.first == "\u{feff}"
    else { return cell }
    let doubled = cell.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] }
    return String(decoding: [quote] + doubled + [quote], as: UTF8.self)
  }
}

/// Numbers as table cells.
package enum Cell {
  /// `digits` significant digits, without an exponent where that is short; empty for NaN and nil.
  package static func number(_ value: Double?, digits: Int = 5) -> String {
    guard let value, value.isFinite else { return "" }
    return String(format: "%.\(digits)g", value)
  }

  /// A fixed number of decimals; empty for NaN and nil.
  package static func fixed(_ value: Double?, decimals: Int) -> String {
    guard let value, value.isFinite else { return "" }
    return String(format: "%.\(decimals)f", value)
  }

  /// About the given number of significant digits, but all before the point, and no exponent where numbers are of common size.
  static func rounded(_ value: Double, digits: Int) -> String {
    let whole = value == 0 ? 1 : Int(log10(abs(value)).rounded(.down)) + 1
    guard (-3...12).contains(whole) else { return number(value, digits: digits) }
    return fixed(value, decimals: max(0, digits - whole))
  }

  /// The accuracy of a row of networks.csv in percent, with its interval where it has one; nil without.
  static func accuracy(_ row: [String: String]) -> String? {
    guard let mean = row.number("top1_mean") else { return nil }
    let text = fixed(mean, decimals: 1)
    if let low = row.number("top1_low95"), let high = row.number("top1_high95") {
      return "\(text) (\(fixed(low, decimals: 1))–\(fixed(high, decimals: 1)))"
    }
    return text + (row.number("top1_ci95").map { " ± \(fixed($0, decimals: 1))" } ?? "")
  }

  /// The difference of a row of networks.csv to standard in points, with its interval; nil where it has none.
  static func difference(_ row: [String: String]) -> String? {
    guard let mean = row.number("top1_difference"), let low = row.number("top1_difference_low95"),
      let high = row.number("top1_difference_high95")
    else { return nil }
    return "\(signed(mean)) (\(signed(low)) to \(signed(high)))"
  }

  /// A difference in points with its sign.
  static func signed(_ value: Double) -> String {
    let text = fixed(abs(value), decimals: 1)
    return (text == "0.0" ? "" : value < 0 ? "−" : "+") + text
  }

  /// A whole number with a comma at every third digit.
  package static func grouped(_ value: Int) -> String {
    var digits = String(value.magnitude), groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return (value < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
  }
}
