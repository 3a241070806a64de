import Foundation
import Tensors

extension CSVTable {
  /// Reads a file of comma-separated values with a header (RFC 4180), of at most `limit` bytes.
  ///
  /// - Throws: a ``WorkbenchError`` that names the file, and the row that does not fit the header.
  package init(file path: String, limit: Int = 64 << 20) throws {
    let file = try RegularFile(path, limit: limit)
    guard let text = String(validating: try file.read(file.size), as: UTF8.self) else {
      throw WorkbenchError("\(path) is not text; give a table of comma-separated values.")
    }
    let lines = Self.cells(text)
    guard let header = lines.first, Set(header).count == header.count else {
      throw WorkbenchError("\(path) has no header of distinct names in its first line.")
    }
    self.init(columns: header)
    for (index, cells) in lines.enumerated().dropFirst() {
      guard cells.count == header.count else {
        throw WorkbenchError(
          "\(path) has \(cells.count) cells in row \(index + 1) and \(header.count) in its header; correct or remove the row."
        )
      }
      append(Dictionary(uniqueKeysWithValues: zip(header, cells)))
    }
  }

  /// The cells of each line; empty lines are passed over, and a byte order mark before the first.
  private static func cells(_ text: String) -> [[String]] {
    let quote = UInt8(ascii: "\""), comma = UInt8(ascii: ","), newline = UInt8(ascii: "\n")
    let mark = Array("\u{feff}".utf8)
    var bytes = Array(text.utf8)[...]
    if bytes.starts(with: mark) { bytes = bytes.dropFirst(mark.count) }
    var lines: [[String]] = [], line: [String] = [], cell: [UInt8] = []
    var isQuoted = false, wasQuoted = false, hasQuotes = false
    func endLine() {
      // Windows ends lines with \r\n.
      if !wasQuoted, cell.last == UInt8(ascii: "\r") { cell.removeLast() }
      line.append(String(decoding: cell, as: UTF8.self))
      if line != [""] || hasQuotes { lines.append(line) }
      (line, cell, wasQuoted, hasQuotes) = ([], [], false, false)
    }
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let byte = bytes[index]
      index += 1
      if isQuoted {
        if byte != quote {
          cell.append(byte)
        } else if index < bytes.endIndex, bytes[index] == quote {
          cell.append(quote)
          index += 1
        } else {
          (isQuoted, wasQuoted) = (false, true)
        }
        continue
      }
      switch byte {
      case quote: (isQuoted, hasQuotes) = (true, true)
      case comma:
        line.append(String(decoding: cell, as: UTF8.self))
        (cell, wasQuoted) = ([], false)
      case newline: endLine()
      default:
        cell.append(byte)
        wasQuoted = false
      }
    }
    if !cell.isEmpty || !line.isEmpty || hasQuotes { endLine() }
    return lines
  }
}
