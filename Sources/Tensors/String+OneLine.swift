extension String {
  /// The text on one line, for messages, tables and scripts that are read line by line: control characters, ends of
  /// lines and marks that reverse the direction of reading are spelled out, as Swift writes them (`\n`, `\u{1b}`).
  package var onOneLine: String {
    // Most texts are of printable ASCII, which stays.
    if utf8.allSatisfy({ (0x20...0x7e).contains($0) }) { return self }
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      switch scalar {
      case "\n": result.append(contentsOf: "\\n".unicodeScalars)
      case "\r": result.append(contentsOf: "\\r".unicodeScalars)
      case "\t": result.append(contentsOf: "\\t".unicodeScalars)
      case _ where scalar.isShownByItsNumber:
        result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// The text without its middle, if it has more scalars than `limit`. The start and the end tell a reader what it is
  /// and what to do.
  package func shortened(to limit: Int) -> String {
    let scalars = unicodeScalars
    guard scalars.count > limit else { return self }
    let tail = limit / 3
    return String(scalars.prefix(limit - tail - 3)) + " … " + String(scalars.suffix(tail))
  }
}

extension Unicode.Scalar {
  /// Whether it could disturb the surrounding text, or is not allowed in text: control characters, line separators,
  /// direction marks, U+FFFE and U+FFFF.
  fileprivate var isShownByItsNumber: Bool {
    // Looking up a category takes longer.
    if isASCII { return value < 0x20 || value == 0x7f }
    return switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default:
      (0x202a...0x202e).contains(value) || (0x2066...0x2069).contains(value) || value & 0xfffe == 0xfffe
    }
  }
}
