import Foundation
import Tensors

extension CSVTable {
  /// Reads a file of comma-separated values with a header (RFC 4180), of at most 64 MiB.
  ///
  /// - Throws: a ``WorkbenchError`` that names the file, and the row that does not fit the header.
  public init(file path: String) throws {
    let file = try RegularFile(path, limit: 64 << 20)
    guard let text = String(validating: try file.read(file.size), as: UTF8.self) else {
      throw WorkbenchError("\(path) is no text; give a table of comma-separated values.")
    }
    let lines = Self.cells(text)
    guard let header = lines.first, Set(header).count == header.count else {
      throw WorkbenchError("\(path) has no header of different names in its first line.")
    }
    self.init(columns: header)
    for (index, cells) in lines.enumerated().dropFirst() {
      guard cells.count == header.count else {
        throw WorkbenchError(
          "\(path) has \(cells.count) cells in row \(index + 1) and \(header.count) in its header; mend or remove the row."
        )
      }
      append(Dictionary(uniqueKeysWithValues: zip(header, cells)))
    }
  }

  /// The cells of each line; empty lines are passed over.
  private static func cells(_ text: String) -> [[String]] {
    var lines: [[String]] = [], line: [String] = [], cell: [UInt8] = []
    var isQuoted = false, wasQuote = false
    func end(_ cell: inout [UInt8], _ line: inout [String]) {
      line.append(String(decoding: cell, as: UTF8.self))
      cell = []
    }
    for byte in text.utf8 where byte != UInt8(ascii: "\r") {
      if isQuoted {
        if byte == UInt8(ascii: "\"") {
          isQuoted = false
          wasQuote = true
        } else {
          cell.append(byte)
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""):
        // A second quote in a quoted cell is a quote.
        if wasQuote { cell.append(byte) }
        isQuoted = true
      case UInt8(ascii: ","): end(&cell, &line)
      case UInt8(ascii: "\n"):
        end(&cell, &line)
        if line != [""] { lines.append(line) }
        line = []
      default: cell.append(byte)
      }
      wasQuote = false
    }
    if !cell.isEmpty || !line.isEmpty {
      end(&cell, &line)
      lines.append(line)
    }
    return lines
  }
}
