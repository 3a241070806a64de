import Foundation
import Tensors
import TestSupport
import Testing

@testable import Experiments

/// Every format gives back the text that it was made of, whatever stands beside its special signs.
@Suite struct EscapeTests {
  /// A text is compared by its scalars: to `==` many different ones are equal.
  private func scalars(_ text: String) -> [Unicode.Scalar] { Array(text.unicodeScalars) }

  private func texts(_ signs: String) -> [String] {
    signs.unicodeScalars.flatMap { HostileText.around("\($0)") }
  }

  /// Undoes an escaping: `codes` stand for scalars, and no scalar of `signs` may stand there otherwise.
  private func decoded(_ text: String, _ codes: [(String, String)], signs: String) -> String? {
    var rest = scalars(text)[...], result = String.UnicodeScalarView()
    while let first = rest.first {
      if let code = codes.first(where: { rest.starts(with: $0.0.unicodeScalars) }) {
        rest = rest.dropFirst(code.0.unicodeScalars.count)
        result.append(contentsOf: code.1.unicodeScalars)
      } else {
        guard !signs.unicodeScalars.contains(first) else { return nil }
        result.append(first)
        rest = rest.dropFirst()
      }
    }
    return String(result)
  }

  @Test func html() throws {
    let codes = [
      ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#13;", "\r"),
    ]
    for text in texts("&<>\"'\r=/`") {
      let escaped = Escape.html(text)
      #expect(
        try scalars(#require(decoded(escaped, codes, signs: "&<>\"'\r"), "\(escaped)")) == scalars(text))
    }
  }

  @Test func latex() throws {
    let codes =
      [
        ("\\textbackslash{}", "\\"), ("\\textasciitilde{}", "~"), ("\\textasciicircum{}", "^"),
        ("\\textasciigrave{}", "`"), ("\\textless{}", "<"), ("\\textgreater{}", ">"), ("\\textbar{}", "|"),
        ("\\textquotedbl{}", "\""), ("{[}", "["), ("{]}", "]"), ("{*}", "*"), ("\\/", ""), ("$\\pm$", "±"),
        ("$\\times$", "×"), ("$\\mu$", "µ"), ("$\\tau$", "τ"),
        ("$\\rho$", "ρ"),
      ] + "&%$#_{}".unicodeScalars.map { ("\\\($0)", "\($0)") }
    for text in texts("\\~^`<>|\"[]*-',&%$#_{}±×µτρ\n") {
      let escaped = Escape.latex(text)
      let again = try #require(decoded(escaped, codes, signs: "\\~^`<>|\"[]*&%$#_{}\n"), "\(escaped)")
      #expect(scalars(again) == scalars(text.onOneLine))
      #expect(!escaped.hasPrefix("[") && !escaped.hasPrefix("*"), "an option of the row before")
    }
    #expect(Escape.latex("--") == "-\\/-" && Escape.latex("a-b") == "a-b")
  }

  @Test func markdown() throws {
    let signs = "\\`*_{}[]<>#|&~$"
    let codes = signs.unicodeScalars.map { ("\\\($0)", "\($0)") }
    for text in texts(signs + "\n\r\u{2028}") {
      let escaped = Escape.markdown(text)
      let again = try #require(decoded(escaped, codes, signs: signs + "\n\r\u{2028}"), "\(escaped)")
      #expect(scalars(again) == scalars(text.onOneLine))
    }
  }

  @Test func gnuplot() throws {
    let texts = texts("'\"\\`%@#\n")
    for text in texts {
      let quoted = Escape.gnuplot(text)
      let codes = [("\\042", "\""), ("\\134", "\\"), ("\\140", "`")]
      let inside = String(quoted.unicodeScalars.dropFirst().dropLast())
      let again = try #require(decoded(inside, codes, signs: "\"\n`\\"))
      #expect(scalars(again) == scalars(text.onOneLine))
      #expect(scalars(quoted).first == "\"" && scalars(quoted).last == "\"")
    }
    // And as gnuplot itself reads them.
    guard let program = Gnuplot() else { return }
    let prints = texts.map { "print \(Escape.gnuplot($0))\n" }.joined()
    let script = "set encoding utf8\nset print '-'\n" + prints
    let (status, output) = try run(URL(fileURLWithPath: program.program), [], input: script)
    #expect(status == 0)
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.count == texts.count + 1)
    for (line, text) in zip(lines, texts) { #expect(scalars(line) == scalars(text.onOneLine)) }
    let ticks = texts.enumerated().map { "\(Escape.gnuplotTick($1)) \($0)" }.joined(separator: ", ")
    let drawing = "set terminal svg noenhanced\nset output '/dev/null'\nset ytics (\(ticks))\nplot [0:1] x\n"
    #expect(
      try run(URL(fileURLWithPath: program.program), [], input: drawing).status == 0,
      "a % in a tick's label is no format")
  }

  @Test func shell() throws {
    let words = texts("'\"\\`$;&|<>*?[]{}()!#~ \n\t=%") + ["", "plain-word_1.0/x:y=z", "-"]
    let (status, output) = try run(
      URL(fileURLWithPath: "/bin/sh"),
      ["-c", "printf '%s\\0' \(words.map(Escape.shell).joined(separator: " "))"])
    #expect(status == 0)
    let again = output.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
    #expect(again.count == words.count + 1)
    for (word, read) in zip(words, again) { #expect(scalars(word) == scalars(read)) }
    #expect(Escape.shell("--conv") == "--conv" && Escape.shell("a b") == "'a b'")
  }

  /// FIPS 180-4's own examples, and one of two blocks.
  @Test func hashes() {
    func hex(_ text: String) -> String { SHA256.hash(text).map { String(format: "%02x", $0) }.joined() }
    #expect(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
  }

  /// Tables of any texts are read as they were written.
  @Test func tables() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("escape-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("t.csv").path
    let known = texts(",\"\n\r\u{feff} ") + ["", " ", "\r\n", "a\r\nb", "\r\n\r\n", "\"\r\n\""]
    var random = Random(seed: 16)
    let signs = scalars(",\"\n\r\u{feff}\u{0600}\u{0301}\u{200d}a ")
    func any() -> String {
      String(String.UnicodeScalarView((0..<random.below(6)).map { _ in signs[random.below(signs.count)] }))
    }
    for width in 1...3 {
      for cells in [known, (0..<3000).map { _ in any() }] {
        let columns = (0..<width).map { "\($0)" + (width == 2 ? any() : "") }
        var table = CSVTable(columns: columns)
        for start in stride(from: 0, to: cells.count - width + 1, by: width) {
          table.append(Dictionary(uniqueKeysWithValues: zip(columns, cells[start..<start + width])))
        }
        try table.write(to: path)
        let again = try CSVTable(file: path)
        #expect(again.columns.map(scalars) == columns.map(scalars))
        #expect(again.rows.count == table.rows.count)
        for (row, read) in zip(table.rows, again.rows) {
          #expect(row.mapValues(scalars) == read.mapValues(scalars))
        }
      }
    }
  }

  /// Runs a program on an input of a few kilobytes.
  private func run(_ program: URL, _ arguments: [String], input: String = "") throws -> (
    status: Int32, output: String
  ) {
    let process = Process(), output = Pipe(), pipe = Pipe()
    process.executableURL = program
    process.arguments = arguments
    process.standardInput = pipe
    process.standardOutput = output
    try process.run()
    try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try pipe.fileHandleForWriting.close()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }
}
