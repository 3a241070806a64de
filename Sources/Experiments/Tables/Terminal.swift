import Foundation
import Tensors

/// How wide the terminal is, and texts that fit.
package enum Terminal {
  /// The columns of the terminal that a descriptor belongs to; 80 where it is none. Windows are resized: ask each time.
  package static func width(_ descriptor: Int32) -> Int {
    var size = winsize()
    return ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// Writes a text to standard error as far as it can: a full disk there ends no work.
  package static func tell(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return }
    }
  }

  /// A text of at most the given number of columns, without what would move the cursor. A longer one is cut at its end, or
  /// before its last `tail` columns.
  package static func fitted(_ text: String, to columns: Int, tail: Int = 0) -> String {
    let clean = Array(text.onOneLine)
    guard width(clean) > columns else { return String(clean) }
    var head = clean, end = clean
    while !head.isEmpty, width(head) > columns - 1 - tail { head.removeLast() }
    while !end.isEmpty, width(end) > tail { end.removeFirst() }
    return String(head) + (columns > 0 ? "…" : "") + String(end)
  }

  /// A name of at most the given number of columns, cut in the middle: names of kernels often differ at their ends.
  static func shortened(_ name: String, to columns: Int) -> String {
    fitted(name, to: columns, tail: max((columns - 1) / 2, 0))
  }

  /// A text in lines of at most the given number of columns, except for words that are longer.
  static func wrapped(_ text: String, to columns: Int) -> String {
    var lines = [""]
    for word in text.onOneLine.split(separator: " ") {
      let last = lines[lines.count - 1]
      if last.isEmpty || width(Array(last)) + 1 + width(Array(word)) <= columns {
        lines[lines.count - 1] = last.isEmpty ? String(word) : "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines.joined(separator: "\n")
  }

  /// How many columns a text takes; ideographs take two.
  static func width(_ text: [Character]) -> Int {
    text.count + text.count { $0.unicodeScalars.contains(where: \.properties.isIdeographic) }
  }
}
