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
    let figures = zip(plots, pictures).map { plot, picture -> [String: Any] in
      [
        "name": plot.name, "title": plot.title, "caption": plot.caption, "picture": picture != nil,
        "svg": picture.map { inline($0, plot) } ?? "",
      ]
    }
    let tables = data.tables.map { name, table -> [String: Any] in
      [
        "name": name, "columns": table.columns, "count": table.rows.count,
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
      "title": title, "machine": data.machine.map(describe) ?? [], "notes": notes, "figures": figures,
      "tables": tables, "style": ReportTemplate.style, "code": ReportTemplate.code,
    ]
    return template.render(page)
  }

  /// A picture as part of the page: its names are its own, black is the page's ink.
  static func inline(_ svg: String, _ plot: Plot) -> String {
    guard let start = svg.range(of: "<svg") else { return "" }
    var text = String(svg[start.lowerBound...])
    for quote in ["'", "\""] {
      for (old, new) in [
        ("id=\(quote)", "id=\(quote)\(plot.name)-"), ("href=\(quote)#", "href=\(quote)#\(plot.name)-"),
        ("\(quote)black\(quote)", "\(quote)currentColor\(quote)"),
        ("\(quote)rgb(  0,   0,   0)\(quote)", "\(quote)currentColor\(quote)"),
      ] {
        text = text.replacingOccurrences(of: old, with: new)
      }
    }
    text = text.replacingOccurrences(of: "url(#", with: "url(#\(plot.name)-")
    return text.replacingOccurrences(
      of: "<svg", with: "<svg role=\"img\" aria-label=\"\(escaped(plot.title))\"")
  }

  /// A text for an attribute of markup.
  private static func escaped(_ text: String) -> String {
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")].reduce(text) {
      $0.replacingOccurrences(of: $1.0, with: $1.1)
    }
  }

  private static func describe(_ machine: MachineRecord) -> [String] {
    [
      "\(machine.processor), \(machine.cores) logical processors, \(machine.instructionSet), \(Cell.number(machine.memoryGiB, digits: 4)) GiB; \(machine.system); \(machine.compiler), \(machine.configuration)",
      "\(machine.date)\(machine.commit.map { ", commit \($0)" } ?? ""); \(machine.command.joined(separator: " "))",
    ]
  }
}
