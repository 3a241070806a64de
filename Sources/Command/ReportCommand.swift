import ArgumentParser
import Experiments
import Foundation

/// `experiment report`: results to look at.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Make a page with pictures of a folder of results, or tables for a paper.",
    discussion: """
      Example: swift run experiment report results

      Writes report.html, which needs no network, and pictures with their data and gnuplot scripts under plots/ into \
      the folder; with --format the tables as report.md or report.tex. Pictures need gnuplot.
      """)

  @Argument(help: ArgumentHelp("What a run or a sweep wrote.", valueName: "dir"))
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
