import Foundation
import Tensors

/// The report of a folder of results: a page, pictures, tables for papers.
package struct Report {
  /// The forms that a report can have.
  package enum Format: String, CaseIterable, Sendable {
    /// A page with pictures and tables that sort and filter.
    case html
    /// Tables for a README.
    case markdown
    /// Tables for a paper.
    case latex
  }

  /// What was written.
  package struct Outcome {
    /// The page, or the file of tables.
    package let path: String
    /// How many plots there are, and how many of them were drawn.
    package let plots: Int, drawn: Int
    /// What kept plots from being drawn, one sentence each.
    package let warnings: [String]
  }

  private let folder: URL
  private let data: ReportData
  private let gnuplot: Gnuplot?

  /// Reads the tables of a folder.
  package init(folder path: String) throws { try self.init(folder: path, Gnuplot()) }

  init(folder path: String, _ gnuplot: Gnuplot?) throws {
    self.gnuplot = gnuplot
    folder = URL(fileURLWithPath: path, isDirectory: true)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      throw WorkbenchError("There is no folder \(path); give the output folder of a run or a sweep.")
    }
    data = try ReportData(folder)
  }

  /// Writes report.html with plots/, or report.md, or report.tex, into the folder.
  package func write(_ format: Format) throws -> Outcome {
    switch format {
    case .html: return try writePage()
    case .markdown: return try writeTables("report.md", PaperTables.markdown)
    case .latex: return try writeTables("report.tex", PaperTables.latex)
    }
  }

  private func writeTables(_ name: String, _ form: (PaperTables.Table) -> String) throws -> Outcome {
    let path = folder.appendingPathComponent(name).path
    try AtomicFile.write(Data(PaperTables.tables(data).map(form).joined(separator: "\n").utf8), to: path)
    return Outcome(path: path, plots: 0, drawn: 0, warnings: [])
  }

  private func writePage() throws -> Outcome {
    let plots = ReportSection.plots(data)
    let place = folder.appendingPathComponent("plots", isDirectory: true)
    let (drawn, failures) = draw(plots)
    // If a picture cannot be drawn, the existing one is kept if its data and script are the same.
    let pictures = zip(plots, drawn).map { plot, picture in
      picture.map { String(decoding: $0.svg, as: UTF8.self) } ?? present(plot, in: place)
    }
    let warnings = pictures.contains(nil) ? failures : []
    let path = folder.appendingPathComponent("report.html").path
    try keepPage(path, zip(plots, pictures).filter { $0.1 == nil }.map(\.0), because: warnings.first ?? "")
    do {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("The folder \(place.path) cannot be made; check its permissions.")
    }
    for (index, plot) in plots.enumerated() {
      func file(_ type: String) -> String { place.appendingPathComponent("\(plot.name).\(type)").path }
      try AtomicFile.write(Data(plot.data.utf8), to: file("dat"))
      try AtomicFile.write(Data(plot.script.utf8), to: file("gp"))
      if let picture = drawn[index] {
        try AtomicFile.write(picture.svg, to: file("svg"))
        try AtomicFile.write(picture.png, to: file("png"))
      } else if pictures[index] == nil {
        // The existing picture shows other data.
        for type in ["svg", "png"] { unlink(file(type)) }
      }
    }
    for (name, table) in data.tables where ["proxy_quality", "proxy_operators"].contains(name) {
      try table.write(to: folder.appendingPathComponent("\(name).csv").path)
    }
    let page = try ReportPage.html(
      data, title: "Results: \(folder.standardizedFileURL.lastPathComponent)", plots: plots,
      pictures: pictures, notes: warnings)
    try AtomicFile.write(Data(page.utf8), to: path)
    return Outcome(
      path: path, plots: plots.count, drawn: pictures.count { $0 != nil }, warnings: warnings)
  }

  /// Draws plots and returns each one's picture, or nil, and what went wrong.
  private func draw(_ plots: [Plot]) -> (pictures: [Gnuplot.Picture?], failures: [String]) {
    var pictures: [Gnuplot.Picture?] = plots.map { _ in nil }
    guard let gnuplot, !plots.isEmpty else { return (pictures, plots.isEmpty ? [] : [Gnuplot.advice]) }
    var failures: [String] = []
    for (index, plot) in plots.enumerated() {
      do throws(Gnuplot.Failure) {
        pictures[index] = try gnuplot.draw(plot)
      } catch {
        failures.append(error.sentence.onOneLine.shortened(to: WorkbenchError.longest))
        if error.isLate { break }
      }
    }
    return (pictures, failures)
  }

  /// The SVG of a plot that was drawn before of the same data by the same script.
  private func present(_ plot: Plot, in place: URL) -> String? {
    func text(_ type: String) -> String? {
      FileManager.default.contents(atPath: place.appendingPathComponent("\(plot.name).\(type)").path)
        .map { String(decoding: $0, as: UTF8.self) }
    }
    return text("dat") == plot.data && text("gp") == plot.script ? text("svg") : nil
  }

  /// Refuses to replace a page by one that lacks pictures of it.
  private func keepPage(_ path: String, _ missing: [Plot], because reason: String) throws {
    guard !missing.isEmpty, let data = FileManager.default.contents(atPath: path) else { return }
    let page = String(decoding: data, as: UTF8.self)
    // Only a page with the drawn picture has this link.
    let lost = missing.count { page.contains("\"plots/\($0.name).svg\"") }
    guard lost > 0 else { return }
    throw WorkbenchError(
      "\(path) was not changed, because \(lost) of its pictures cannot be drawn again; move it away to make a page without them. \(reason)"
    )
  }
}
