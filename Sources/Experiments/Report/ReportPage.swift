import Foundation
import Mustache
import Tensors

/// The page of a report: one HTML file that needs nothing else.
enum ReportPage {
  /// The whole file.
  ///
  /// - Parameters:
  ///   - pictures: for each plot its SVG file's text, or nil where it was not drawn.
  ///   - notes: what the reader should know first.
  static func html(
    _ data: ReportData, title: String, plots: [Plot], pictures: [String?], notes: [String]
  ) throws -> String {
    let template: MustacheTemplate
    do { template = try MustacheTemplate(string: ReportTemplate.page) } catch {
      throw WorkbenchError("The page's template is wrong: \(error).")
    }
    let names = TaskPlots.tasks(data), hasTasks = names.count > 1
    func figures(_ task: String?) -> [[String: Any]] {
      zip(plots, pictures).filter { (hasTasks ? $0.0.task : nil) == task }.map { plot, picture in
        figure(plot, picture)
      }
    }
    func figure(_ plot: Plot, _ picture: String?) -> [String: Any] {
      [
        "name": plot.name, "title": plot.title, "caption": plot.caption, "picture": picture != nil,
        "svg": Markup(picture.map { inline($0, plot) } ?? ""),
      ]
    }
    let tasks = (hasTasks ? names : []).enumerated().map { index, name -> [String: Any] in
      [
        "id": "task-\(index + 1)", "name": name, "figures": figures(name),
        "examples": [TaskPicture.source(name)].compactMap { $0.map(Markup.init) },
      ]
    }
    let tables = data.tables.map { name, table -> [String: Any] in
      [
        "name": name, "columns": table.columns, "origin": [data.origin(name)].compactMap { $0 },
        "rows": table.rows.map { row -> [String: Any] in
          [
            "cells": table.columns.map { column -> [String: Any] in
              let text = row[column] ?? ""
              return ["text": text, "number": Double(text) != nil]
            }
          ]
        },
      ]
    }
    let page: [String: Any] = [
      "title": title, "machine": data.machine.map(describe) ?? [], "notes": notes, "figures": figures(nil),
      "tasks": tasks,
      "tables": tables, "style": Markup(ReportTemplate.style), "code": Markup(ReportTemplate.code),
      "policy": Markup(policy),
    ]
    return template.render(markup(page))
  }

  /// A part of the page that is markup already.
  private struct Markup {
    let text: String
    init(_ text: String) { self.text = text }
  }

  /// What the template is filled with: every text in it is escaped here, and here only.
  private static func markup(_ value: Any) -> Any {
    switch value {
    case let made as Markup: made.text
    case let text as String: Escape.html(text)
    case let list as [Any]: list.map(markup)
    case let entries as [String: Any]: entries.mapValues(markup)
    default: value
    }
  }

  /// What the page may do, should a name ever get past `Escape`: run its own script, be drawn, and nothing else; no
  /// address is asked for anything.
  private static let policy =
    "default-src 'none'; script-src '\(SHA256.source(ReportTemplate.code))'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

  /// A picture as part of the page: its names are its own, black is the page's ink. Only tags are changed: what is
  /// between them is text, which gnuplot has escaped.
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

  /// What to know of tables whose rows come from several machines or builds.
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
