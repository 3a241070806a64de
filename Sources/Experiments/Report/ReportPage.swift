import Foundation
import Mustache
import Tensors

/// The page of a report: one HTML file that needs nothing else.
enum ReportPage {
  /// The whole file.
  ///
  /// - Parameters:
  ///   - pictures: for each plot its SVG file's text, or nil where it was not drawn.
  ///   - notes: remarks for the top of the page.
  static func html(
    _ data: ReportData, title: String, plots: [Plot], pictures: [String?], notes: [String]
  ) throws -> String {
    let template = try template.get()
    let drawn = zip(plots, pictures).map { (plot: $0, picture: $1) }
    let sections = Self.sections(data, drawn) + features(data)
    let tasks = Self.tasks(data, drawn, isFirst: sections.isEmpty)
    let tables = data.tables.map { name, table -> [String: Any] in
      var entries = Self.table(
        name, table.columns, table.rows.map { row in table.columns.map { row[$0] ?? "" } })
      entries["count"] = count(table.rows.count, "row")
      entries["origin"] = [data.origin(name)].compactMap { $0 }
      return entries
    }
    let paragraphs = ReportSummary.paragraphs(data)
    let summary = PaperTables.tables(data).filter { $0.title == "Networks" }.map { made -> [String: Any] in
      var entries = table(made.title, made.header, made.rows.map { $0.map(marked) })
      entries["caption"] = made.caption
      return entries
    }
    let hasSummary = !paragraphs.isEmpty || !summary.isEmpty
    var contents: [[String: Any]] = hasSummary ? [["id": "summary", "name": "Summary"]] : []
    contents += (sections + tasks).map { part in part.filter { ["id", "name", "count"].contains($0.key) } }
    contents += data.tables.map { name, table in
      ["id": "table-\(name)", "name": "\(name).csv", "count": count(table.rows.count, "row")]
    }
    let page: [String: Any] = [
      "title": title, "machine": data.machine.map(describe) ?? [], "notes": notes, "contents": contents,
      "hasSummary": hasSummary, "paragraphs": paragraphs, "summary": summary, "sections": sections,
      "tasks": tasks, "tables": tables, "hasTables": !tables.isEmpty,
      "style": Markup(ReportTemplate.style), "code": Markup(ReportTemplate.code), "policy": Markup(policy),
    ]
    return template.render(markup(page))
  }

  private static let template = Result { try MustacheTemplate(string: ReportTemplate.page) }
    .mapError { WorkbenchError("The page's template is wrong: \($0).") }

  private typealias Drawn = (plot: Plot, picture: String?)

  /// The sections of pictures that do not belong to one of several data sets. The first is unfolded.
  private static func sections(_ data: ReportData, _ drawn: [Drawn]) -> [[String: Any]] {
    let hasTasks = TaskPlots.tasks(data).count > 1
    let parts = ReportSection.allCases.compactMap { section -> (ReportSection, [Drawn])? in
      let found = drawn.filter { $0.plot.section == section && (!hasTasks || $0.plot.task == nil) }
      return found.isEmpty ? nil : (section, found)
    }
    return parts.enumerated().map { index, part -> [String: Any] in
      [
        "id": "part-\(Plot.slug(part.0.rawValue))", "name": part.0.rawValue, "open": index == 0,
        "count": count(part.1.count, "picture"), "figures": part.1.map(figure),
      ]
    }
  }

  /// Filters and feature maps, which have no scripts and data beside them.
  private static func features(_ data: ReportData) -> [[String: Any]] {
    let figures = data.features.enumerated().map { index, feature -> [String: Any] in
      let row = feature.row, isFilters = row["shows"] == "filters"
      let place = row.key(["model", "kernel", "data"]), layer = row["layer"] ?? ""
      let what = layer == "image" ? "The image" : "\(isFilters ? "Filters" : "Feature maps") of \(layer)"
      let title = "\(what): \(place)"
      let source = "data:image/png;base64,\(feature.picture.base64EncodedString())"
      return [
        "name": "feature-\(index + 1)", "title": title, "files": false,
        "svg": Markup("<img src=\"\(source)\" alt=\"\(Escape.html(title))\">"),
        "caption":
          "\(row["shown"] ?? "") of \(row["maps"] ?? "") maps of \(row["h"] ?? "")×\(row["w"] ?? "") values, from \(row["black"] ?? "") (black) to \(row["white"] ?? "") (white)\(isFilters ? ", each the mean over its inputs" : ", of test image \(row["image"] ?? "")").",
      ]
    }
    guard !figures.isEmpty else { return [] }
    return [
      [
        "id": "part-features", "name": "Filters and feature maps", "count": count(figures.count, "picture"),
        "figures": figures,
      ]
    ]
  }

  /// The parts of several data sets.
  private static func tasks(_ data: ReportData, _ drawn: [Drawn], isFirst: Bool) -> [[String: Any]] {
    let names = TaskPlots.tasks(data)
    guard names.count > 1 else { return [] }
    return names.enumerated().map { index, name -> [String: Any] in
      let found = drawn.filter { $0.plot.task == name }
      return [
        "id": "task-\(index + 1)", "name": name, "open": isFirst && index == 0,
        "count": count(found.count, "picture"), "figures": found.map(figure),
        "examples": [TaskPicture.source(name)].compactMap { $0.map(Markup.init) },
      ]
    }
  }

  private static func figure(_ drawn: Drawn) -> [String: Any] {
    [
      "name": drawn.plot.name, "title": drawn.plot.title, "caption": drawn.plot.caption,
      "files": true, "picture": drawn.picture != nil,
      "svg": Markup(drawn.picture.map { inline($0, drawn.plot) } ?? ""),
    ]
  }

  private static func table(_ name: String, _ columns: [String], _ rows: [[String]]) -> [String: Any] {
    [
      "name": name, "columns": columns,
      "rows": rows.map { row -> [String: Any] in
        ["cells": row.map { text -> [String: Any] in ["text": text, "number": isNumber(text)] }]
      },
    ]
  }

  private static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  /// Whether a cell is set to the right: a number, with commas or an interval.
  private static func isNumber(_ text: String) -> Bool {
    let first = text.split(separator: " ", maxSplits: 1).first ?? ""
    return Double(first.replacing(",", with: "").replacing("−", with: "-")) != nil
  }

  /// A verdict with its mark, which needs no colour.
  private static func marked(_ cell: String) -> String {
    Verdict(rawValue: cell).map { "\(TaskPlots.mark($0)) \(cell)" } ?? cell
  }

  /// A part of the page that is already markup.
  private struct Markup {
    let text: String
    init(_ text: String) { self.text = text }
  }

  /// The values of the template. Every text is escaped here, and only here.
  private static func markup(_ value: Any) -> Any {
    switch value {
    case let made as Markup: made.text
    case let text as String: Escape.html(text)
    case let list as [Any]: list.map(markup)
    case let entries as [String: Any]: entries.mapValues(markup)
    default: value
    }
  }

  /// What the page may do even if a name ever got past `Escape`: run its own script and be displayed, nothing else;
  /// it loads nothing from any address.
  private static let policy =
    "default-src 'none'; script-src '\(SHA256.source(ReportTemplate.code))'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

  /// A picture as part of the page, with ids of its own and the page's text colour for black. Only tags are changed;
  /// the text between them was escaped by gnuplot.
  static func inline(_ svg: String, _ plot: Plot) -> String {
    var tags = svg.utf8.split(separator: UInt8(ascii: "<"), omittingEmptySubsequences: false)[...]
    tags = tags.drop { !$0.starts(with: "svg".utf8) }
    guard !tags.isEmpty else { return "" }
    let parts = tags.map { part -> String in
      let end = part.firstIndex(of: UInt8(ascii: ">")) ?? part.endIndex
      return "<" + ownNames(String(decoding: part[..<end], as: UTF8.self), plot.name)
        + String(decoding: part[end...], as: UTF8.self)
    }
    let label = "<svg role=\"img\" aria-label=\"\(Escape.html(plot.title))\""
    return label + String(Substring(parts.joined().utf8.dropFirst("<svg".utf8.count)))
  }

  /// A tag in which names begin with the plot's and black is `currentColor`.
  private static func ownNames(_ tag: String, _ name: String) -> String {
    var text = tag
    for quote in ["'", "\""] {
      for (old, new) in [
        ("id=\(quote)", "id=\(quote)\(name)-"), ("href=\(quote)#", "href=\(quote)#\(name)-"),
        ("\(quote)black\(quote)", "\(quote)currentColor\(quote)"),
        ("\(quote)rgb(  0,   0,   0)\(quote)", "\(quote)currentColor\(quote)"),
      ] {
        text = text.replacingOccurrences(of: old, with: new)
      }
    }
    return text.replacingOccurrences(of: "url(#", with: "url(#\(name)-")
  }

  private static func describe(_ machine: MachineRecord) -> [String] {
    [
      "\(machine.processor), \(machine.cores) logical processors, \(machine.instructionSet), \(Cell.number(machine.memoryGiB, digits: 4)) GiB; \(machine.system); \(machine.compiler), \(machine.configuration)",
      machine.origin
        + (machine.recordsOfOtherBuilds.map { "; \($0) of its records are of other builds of the program" }
          ?? ""),
    ] + mixture(machine.machines ?? [])
  }

  /// A remark on tables whose rows come from several machines or builds.
  private static func mixture(_ machines: [MachineRecord.Machine]) -> [String] {
    guard machines.count > 1 else { return [] }
    let list = machines.map { machine in
      "\(machine.host ?? "an unnamed host") (\(machine.processor), \(machine.instructionSet), build \(machine.build?.prefix(8) ?? "unknown")): \(machine.records)"
    }
    let sets = Set(machines.map(\.instructionSet)).count, builds = Set(machines.map(\.build)).count
    let warning =
      sets > 1
      ? " Rows come from \(sets) instruction sets, which round differently: see the column isa."
      : builds > 1 ? " Rows come from \(builds) builds of the program: see the column build." : ""
    return ["Records by machine: \(list.joined(separator: "; ")).\(warning)"]
  }
}
