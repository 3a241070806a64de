import Experiments
import Foundation
import Tensors
import TestSupport
import Testing

/// Reports of folders whose every name tries to run a script: in cells, headings, titles, captions, pictures, the
/// machine's description, files' names and the folder's own.
@Suite(.serialized) struct HostilePageTests {
  let place = FileManager.default.temporaryDirectory.appendingPathComponent("hostile-\(UUID().uuidString)")
  let folder: URL
  /// Every attempt, with every mark.
  let names = HostileText.hidden(HostileText.scripts)

  init() throws {
    folder = place.appendingPathComponent(
      "<img src=x onerror=document.title=1>\u{600}<b \"'&", isDirectory: true)
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("fields"), withIntermediateDirectories: true)
  }

  /// Rows of a table, each cell from a column's function of the row's number.
  private func write(_ name: String, rows: Int, _ columns: [(String, (Int) -> String)]) throws {
    var table = CSVTable(columns: columns.map(\.0))
    for row in 0..<rows { table.append(Dictionary(uniqueKeysWithValues: columns.map { ($0.0, $0.1(row)) })) }
    try table.write(to: folder.appendingPathComponent(name).path)
  }

  /// An attempt: all of them in turn, in other orders in other columns.
  private func name(_ number: Int, _ column: Int = 0) -> String {
    names[(number * (2 * column + 1) + column) % names.count]
  }

  private func writeTables() throws {
    // Two rows have a group's names in common, so that there is a picture titled by them.
    try write(
      "networks.csv", rows: names.count,
      [
        ("kernel", { name($0) }), ("model", { name(min($0, 8) / 2, 1) }), ("replace", { _ in "spatial" }),
        ("data", { name(min($0, 8) / 2, 2) }), ("macs", { "\($0 + 1)000" }), ("params", { _ in "" }),
        ("top1_mean", { $0 < 8 ? "\(80 + $0)" : "" }), ("snip", { $0 < 8 ? "\($0)" : "" }),
        ("status", { name($0, 3) }), ("reason", { name($0, 4) }), (names[0], { name($0, 5) }),
        (names[20], { name($0, 6) }), ("group", { name(min($0, 8) / 2, 3) }),
      ])
    try write(
      "operators.csv", rows: 12,
      [
        ("kernel", { name($0, 1) }), ("problem", { name($0 / 6, 2) }), ("pass", { _ in "forward" }),
        ("algorithm", { name($0, 3) }), ("status", { _ in "ok" }), ("kh", { "\($0 + 1)" }),
        ("h", { _ in name(0, 4) }),
        ("time_ms_median", { "\($0 + 1)" }), ("threads", { _ in "2" }), ("gflops", { "\($0 + 1)" }),
        ("bytes", { _ in "9" }),
      ])
    try write(
      "layers.csv", rows: 40,
      [
        ("model", { _ in names[5] }), ("kernel", { _ in names[1] }), ("layer", { name($0) + "%d" }),
        ("ms", { "\($0 + 1)" }),
      ])
    try write(
      "training.csv", rows: 12,
      [
        ("kernel", { name($0 / 2) }), ("model", { _ in names[9] }), ("data", { _ in names[30] }),
        ("epoch", { "\($0 % 2 + 1)" }), ("test_top1", { "\($0 + 50)" }),
      ])
    try write(
      "trainability.csv", rows: 8,
      [
        ("kernel", { _ in names[3] }), ("when", { _ in "start" }), ("model", { name($0 / 2) }),
        ("shortcut", { _ in "" }),
        ("index", { "\($0 % 2)" }), ("norm", { "\($0 + 1)" }),
      ])
    try write(
      "offsets.csv", rows: 4,
      [
        ("kernel", { _ in names[8] }), ("model", { _ in "m" }), ("data", { _ in names[2] }),
        ("image", { _ in "0" }),
        ("layer", { _ in names[4] }), ("row", { name($0 / 2) }), ("column", { _ in "1" }),
        ("image_grid_y", { _ in "1" }),
        ("image_grid_x", { _ in "1" }), ("image_y", { "\($0)" }), ("image_x", { "\($0)" }),
      ])
    try write(
      "offsets-image.csv", rows: 9,
      [
        ("data", { _ in names[2] }), ("image", { _ in "0" }), ("row", { "\($0 / 3)" }),
        ("column", { "\($0 % 3)" }),
        ("value", { "\($0)" }),
      ])
    for (index, name) in names.prefix(12).enumerated() {
      let file = name.replacingOccurrences(of: "/", with: "⁄")
      try NpyFile.write(
        Tensor([0, 1, 0.5, Float(index) / 12], [2, 2]),
        to: folder.appendingPathComponent("fields/\(file.prefix(60)).npy").path)
    }
    let machine: [String: Any] = [
      "processor": names[0], "cores": 2, "memory_gib": 1.5, "instruction_set": names[1], "system": names[2],
      "compiler": names[3], "configuration": names[4], "packages": [names[5]: names[6]], "commit": names[7],
      "date": names[8], "command": [names[9], names[10], "a b"], "peak_gflops_per_thread": 100.0,
      "bandwidth_gb_per_s": 10.0,
    ]
    try JSONSerialization.data(withJSONObject: machine).write(
      to: folder.appendingPathComponent("machine.json"))
  }

  private func report() throws -> URL {
    let outcome = try Experiment.run(["report", folder.path])
    #expect(outcome.status == 0, "\(outcome.error)")
    #expect(outcome.error.isEmpty || outcome.error.hasPrefix("gnuplot is not installed"), "\(outcome.error)")
    return folder.appendingPathComponent("report.html")
  }

  /// What the page consists of, read as a browser reads it: byte by byte. This needs no browser.
  @Test func namesAddNoTagsAndNoAttributes() throws {
    try writeTables()
    let tags = Markup.tags(try Data(contentsOf: try report()))
    #expect(Set(tags.map(\.name)).subtracting(Markup.known) == [])
    #expect(tags.count { $0.name == "script" } == 1)
    let attributes = Set(tags.flatMap(\.attributes))
    #expect(
      attributes.filter { $0.hasPrefix("on") } == [] && !attributes.contains("src")
        && !attributes.contains("srcdoc"))
    for picture in try pictures() {
      #expect(Set(Markup.tags(try Data(contentsOf: picture)).map(\.name)).subtracting(Markup.known) == [])
    }
  }

  private func pictures() throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: folder.appendingPathComponent("plots"), includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "svg" }
  }

  @Test(.enabled(if: Browser.program != nil, "Chromium is not installed, so no page was opened."))
  func noScriptRunsInABrowser() throws {
    try writeTables()
    let page = try report()
    let shown = try Browser.document(page)
    #expect(shown.contains("<title>Results: "), "the title is the page's own")
    #expect(
      shown.contains("<output>\(names.count) of \(names.count) rows</output>"),
      "the page's own script has run")
    #expect(!shown.contains("<iframe") && !shown.contains("<img"))
    // A picture by itself, of each kind: the files differ in their first word.
    let kinds = Dictionary(grouping: try pictures()) { $0.lastPathComponent.prefix { $0 != "-" } }
    for picture in kinds.values.map({ $0[0] }) {
      let shown = try Browser.document(picture)
      #expect(!shown.contains("<title>PWNED") && !shown.contains("<script"), "\(picture.lastPathComponent)")
    }
  }

  /// The second line of defence: markup that got into the page would run nothing. Without it, it would: the test sees
  /// scripts that run.
  @Test(.enabled(if: Browser.program != nil, "Chromium is not installed, so no page was opened."))
  func thePolicyStopsWhatEscapingWouldMiss() throws {
    try write("networks.csv", rows: 1, [("kernel", { _ in "standard" }), ("top1_mean", { _ in "90" })])
    let text = try String(contentsOf: try report(), encoding: .utf8)
    let attack = "<img src=x onerror=\"document.title='PWNED'\"><script>document.title='PWNED'</script>"
    let attacked = text.replacing("<main>", with: "<main>\(attack)")
    let policy = /<meta http-equiv="Content-Security-Policy"[^>]*>\n/
    for (name, content, isRun) in [
      ("with", attacked, false), ("without", attacked.replacing(policy, with: ""), true),
    ] {
      let file = place.appendingPathComponent("\(name).html")
      try content.write(to: file, atomically: true, encoding: .utf8)
      let shown = try Browser.document(file)
      #expect(shown.contains("<title>PWNED") == isRun, "\(name) the policy")
      #expect(shown.contains("1 of 1 rows"))
    }
  }

  /// The program's own way: the file of a sweep, its tables, its page.
  @Test func sweepsOfHostileGroups() throws {
    let groups =
      names.prefix(6) + [names[20], names[25], "a\r\nb", "c,\u{301}d", "e\"\u{301}f", "\u{600}\\input x"]
    let entries = groups.map { name in
      let text = String(decoding: try! JSONEncoder().encode(name), as: UTF8.self)
      return "  - {name: \(text), fields: {depth: 1, channels: 2, size: 9, seeds: 1, batch: 1}}"
    }
    let file = place.appendingPathComponent("sweep.yaml")
    try ("groups:\n" + entries.joined(separator: "\n") + "\n").write(
      to: file, atomically: true, encoding: .utf8)
    let sweep = try Experiment.run(["sweep", file.path, "--output", folder.path])
    #expect(sweep.status == 0, "\(sweep.error)")
    let table = try CSVTable(file: folder.appendingPathComponent("fields.csv").path)
    #expect(
      table.rows.compactMap { $0["group"].map { Array($0.unicodeScalars) } }
        == groups.map { Array($0.unicodeScalars) })
    let page = try report(), tags = Markup.tags(try Data(contentsOf: page))
    #expect(Set(tags.map(\.name)).subtracting(Markup.known) == [] && tags.count { $0.name == "script" } == 1)
    if Browser.program != nil {
      #expect(
        try Browser.document(page).contains("<title>Results: "), "no name's script has changed the title")
    }
    for format in ["markdown", "latex"] {
      #expect(try Experiment.run(["report", folder.path, "--format", format]).status == 0)
    }
  }
}

/// Tags of HTML and SVG, as a reader of bytes finds them.
enum Markup {
  /// All tags that a page or a picture of ours has.
  static let known: Set<String> = [
    "!doctype", "html", "head", "meta", "title", "link", "style", "body", "header", "h1", "p", "nav", "a",
    "ul", "li", "small", "details", "summary", "main", "figure",
    "h2", "h3", "figcaption", "section", "article", "img", "label", "input", "output", "div", "table",
    "thead",
    "tbody", "tr", "th",
    "td", "button",
    "script", "?xml", "svg", "desc", "g", "defs", "rect", "circle", "path", "use", "filter", "feflood",
    "fecomposite",
    "text", "tspan", "polyline", "polygon", "line", "pattern", "lineargradient", "stop",
  ]

  /// Each tag that opens: its name and its attributes' names. The contents of scripts are passed over.
  static func tags(_ data: Data) -> [(name: String, attributes: [String])] {
    let text = String(decoding: data, as: Unicode.ASCII.self)
    var found: [(name: String, attributes: [String])] = []
    var rest = Substring(text)
    while let start = rest.firstIndex(of: "<") {
      rest = rest[start...].dropFirst()
      guard let first = rest.first, first.isLetter || first == "!" || first == "?" else { continue }
      let name = rest.prefix { !$0.isWhitespace && $0 != ">" && $0 != "/" }.lowercased()
      rest = rest.dropFirst(name.count)
      var attributes: [String] = []
      while let next = rest.first, next != ">" {
        if next.isWhitespace || next == "/" || next == "=" {
          rest.removeFirst()
        } else if next == "\"" || next == "'" {
          rest = rest.dropFirst().drop { $0 != next }.dropFirst()
        } else {
          let attribute = rest.prefix { !$0.isWhitespace && !"=>/\"'".contains($0) }
          attributes.append(attribute.lowercased())
          rest = rest.dropFirst(max(attribute.count, 1))
        }
      }
      found.append((name, attributes))
      if name == "script" || name == "style" {
        rest = rest[(rest.firstRange(of: "</\(name)")?.lowerBound ?? rest.endIndex)...]
      }
    }
    return found
  }
}
