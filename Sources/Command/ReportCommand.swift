import ArgumentParser
import Experiments
import Foundation

/// `experiment report`: results as a page or as tables.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make a page with pictures, or tables for a paper, from a folder of results.",
    discussion: """
      Example: swift run experiment report results

      Writes report.html, which needs no connection, and pictures with their data and gnuplot scripts under plots/ into \
      the folder. With --format, writes the tables as report.md or report.tex. Pictures need gnuplot.
      """)

  @Argument(help: ArgumentHelp("The output folder of a run or a sweep.", valueName: "dir"))
  var folder: String
  @Option(help: "html (a page with pictures), markdown or latex (tables).")
  var format = Report.Format.html

  func run() throws {
    let outcome = try Report(folder: folder).write(format)
    for warning in outcome.warnings { warn(warning) }
    print(outcome.path)
    if format == .html { print("\(outcome.drawn) of \(outcome.plots) pictures drawn") }
  }
}

extension Report.Format: ExpressibleByArgument {}
