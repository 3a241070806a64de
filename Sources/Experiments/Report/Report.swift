import Foundation
import Tensors

/// The report of a folder of results: a page, pictures, tables for papers.
public struct Report {
  /// The forms that a report can have.
  public enum Format: String, CaseIterable, Sendable {
    /// A page with pictures and tables that sort and filter.
    case html
    /// Tables for a README.
    case markdown
    /// Tables for a paper.
    case latex
  }

  /// What was written.
  public struct Outcome {
    /// The page, or the file of tables.
    public let path: String
    /// How many plots there are, and how many of them were drawn.
    public let plots: Int, drawn: Int
    /// What kept plots from being drawn, one sentence each.
    public let warnings: [String]
  }

  private let folder: URL
  private let data: ReportData
  private let gnuplot: Gnuplot?

  /// Reads the tables of a folder.
  public init(folder path: String) throws { try self.init(folder: path, Gnuplot()) }

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
  public func write(_ format: Format) throws -> Outcome {
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
    var names = Set<String>()
    let plots =
      (AccuracyPlots.plots(data) + SpeedPlots.plots(data) + LearningPlots.plots(data)
      + ProxyPlots.plots(data) + OffsetPlots.plots(data) + GradientPlots.plots(data))
      .filter { names.insert($0.name).inserted }
    try data.quality?.table.write(to: folder.appendingPathComponent("proxy_quality.csv").path)
    let place = folder.appendingPathComponent("plots", isDirectory: true)
    do {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("The folder \(place.path) cannot be made; see who may write there.")
    }
    for plot in plots {
      try AtomicFile.write(Data(plot.data.utf8), to: place.appendingPathComponent("\(plot.name).dat").path)
      try AtomicFile.write(Data(plot.script.utf8), to: place.appendingPathComponent("\(plot.name).gp").path)
    }
    let (pictures, warnings) = try draw(plots, in: place)
    let page = try ReportPage.html(
      data, title: "Results: \(folder.standardizedFileURL.lastPathComponent)", plots: plots,
      pictures: pictures,
      notes: warnings)
    let path = folder.appendingPathComponent("report.html").path
    try AtomicFile.write(Data(page.utf8), to: path)
    return Outcome(
      path: path, plots: plots.count, drawn: pictures.count { $0 != nil }, warnings: warnings)
  }

  /// Draws plots and writes the files of those that could be drawn: each one's SVG, or nil, and what went wrong.
  private func draw(_ plots: [Plot], in place: URL) throws -> (pictures: [String?], warnings: [String]) {
    var pictures: [String?] = plots.map { _ in nil }
    guard let gnuplot, !plots.isEmpty else { return (pictures, plots.isEmpty ? [] : [Gnuplot.advice]) }
    var warnings: [String] = []
    for (index, plot) in plots.enumerated() {
      do {
        let picture = try gnuplot.draw(plot)
        try AtomicFile.write(picture.svg, to: place.appendingPathComponent("\(plot.name).svg").path)
        try AtomicFile.write(picture.png, to: place.appendingPathComponent("\(plot.name).png").path)
        pictures[index] = String(decoding: picture.svg, as: UTF8.self)
      } catch let failure as Gnuplot.Failure {
        warnings.append(failure.sentence.onOneLine.shortened(to: WorkbenchError.longest))
        if failure.isLate { break }
      }
    }
    return (pictures, warnings)
  }
}
