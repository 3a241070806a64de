/// What YAML can say and is not read here: aliases and keys that are not words. A few lines of them stand for more
/// than any memory holds, and the reader compares keys by all that they contain.
enum YAMLText {
  /// The first such place of a text: its line, counted from 1, and what stands there; nil if there is none.
  ///
  /// This sees more than there is, never less: also a `*` before a word in a quoted text. What it passes over is sure
  /// to be no token: the rest of a line from a `#` that begins it or follows a space, where the line has no quotes. It
  /// is a comment then, or inside a text of several lines that does not end there.
  static func refusal(_ text: String) -> (line: Int, what: String)? {
    var number = 1, line: [Unicode.Scalar] = [], wasReturn = false
    for scalar in text.unicodeScalars {
      if scalar == "\n" && wasReturn {
        wasReturn = false
        continue
      }
      wasReturn = scalar == "\r"
      guard isBreak(scalar) else {
        line.append(scalar)
        continue
      }
      if let what = refusal(line: line) { return (number, what) }
      number += 1
      line = []
    }
    return refusal(line: line).map { (number, $0) }
  }

  private static func refusal(line: [Unicode.Scalar]) -> String? {
    let hasQuotes = line.contains("\"") || line.contains("'")
    for (index, scalar) in line.enumerated() {
      let previous = index > 0 ? line[index - 1] : " "
      let next = index + 1 < line.count ? line[index + 1] : " "
      switch scalar {
      case "#" where !hasQuotes && (previous == " " || previous == "\t"): return nil
      case "*" where isName(next) && !isInsideWord(previous):
        return "‘*\(next)…’, an alias; write out what it stands for"
      case "?" where !isName(next) && !isInsideWord(previous):
        return "‘?’, which begins a key that is not a word; give each key as ‘key: …’"
      default: break
      }
    }
    return nil
  }

  /// Ends of lines, as YAML 1.1 has them.
  private static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": true
    default: false
    }
  }

  /// What an alias's name can begin with.
  private static func isName(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
    default: false
    }
  }

  /// Whether a scalar is inside a word, where no token ends.
  private static func isInsideWord(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "/", "+", "=", "*", "(", ")": true
    default: false
    }
  }
}
