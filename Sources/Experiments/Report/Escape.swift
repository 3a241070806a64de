import Tensors

/// Escapes user texts (the names of kernels, groups, models and data, and reasons) for the formats of results. CSV is
/// quoted where it is written (`CSVTable`).
///
/// Everything works on Unicode scalars. A `Character` can be a `<` together with the mark before or after it; it then
/// differs from `"<"`, while every reader of these formats sees a `<`.
enum Escape {
  /// For HTML: between tags and in quoted attributes.
  static func html(_ text: String) -> String {
    replacing(text) { scalar, _ in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      case "'": "&#39;"
      case "\r": "&#13;"
      case "\0": "\u{fffd}"
      default: nil
      }
    }
  }

  /// For a cell of a table in GitHub's Markdown.
  static func markdown(_ text: String) -> String {
    replacing(text.onOneLine) { scalar, _ in
      "\\`*_{}[]<>#|&~$".unicodeScalars.contains(scalar) ? "\\\(scalar)" : nil
    }
  }

  /// For LaTeX, outside verbatim and mathematics.
  static func latex(_ text: String) -> String {
    replacing(text.onOneLine) { scalar, previous in
      switch scalar {
      case "\\": "\\textbackslash{}"
      case "~": "\\textasciitilde{}"
      case "^": "\\textasciicircum{}"
      case "`": "\\textasciigrave{}"
      case "&", "%", "$", "#", "_", "{", "}": "\\\(scalar)"
      // Two of some signs would be set as one; `\/` keeps them apart.
      case "<": scalar == previous ? "\\/\\textless{}" : "\\textless{}"
      case ">": scalar == previous ? "\\/\\textgreater{}" : "\\textgreater{}"
      case "-", "'", ",": scalar == previous ? "\\/\(scalar)" : nil
      case "|": "\\textbar{}"
      case "\"": "\\textquotedbl{}"
      // At the start of a row these would be options of the row before.
      case "[": "{[}"
      case "]": "{]}"
      case "*": "{*}"
      case "±": "$\\pm$"
      case "−": "$-$"
      case "×": "$\\times$"
      case "µ": "$\\mu$"
      case "τ": "$\\tau$"
      case "ρ": "$\\rho$"
      default: nil
      }
    }
  }

  /// A string of gnuplot's, in double quotes. What means something in there stands by its octal number: a quote that
  /// is doubled, or has a backslash before it, is not understood in every place.
  static func gnuplot(_ text: String) -> String {
    "\""
      + replacing(text.onOneLine) { scalar, _ in
        switch scalar {
        case "\"": "\\042"
        case "\\": "\\134"
        case "`": "\\140"
        default: nil
        }
      } + "\""
  }

  /// A tick's label of gnuplot's: a string in which `%` begins a format.
  static func gnuplotTick(_ text: String) -> String {
    gnuplot(replacing(text) { scalar, _ in scalar == "%" ? "%%" : nil })
  }

  /// For a comment in a file of gnuplot's: one line, without the backquotes that older versions run as commands
  /// wherever they stand.
  static func gnuplotComment(_ text: String) -> String {
    replacing(text.onOneLine) { scalar, _ in scalar == "`" ? "'" : nil }
  }

  /// A word of a shell's command: as it is where it is plain, else in single quotes.
  static func shell(_ word: String) -> String {
    let plain = word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): true
      default: "-_./:=,+@%".utf8.contains(byte)
      }
    }
    guard !plain || word.isEmpty else { return word }
    return "'" + replacing(word) { scalar, _ in scalar == "'" ? "'\\''" : nil } + "'"
  }

  /// The text with those scalars replaced for which `form`, given the scalar before too, has another form.
  private static func replacing(
    _ text: String, _ form: (Unicode.Scalar, _ previous: Unicode.Scalar?) -> String?
  ) -> String {
    var result = String.UnicodeScalarView(), previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      if let form = form(scalar, previous) {
        result.append(contentsOf: form.unicodeScalars)
      } else {
        result.append(scalar)
      }
      previous = scalar
    }
    return String(result)
  }
}
