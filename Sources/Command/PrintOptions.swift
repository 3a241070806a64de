import ArgumentParser
import Experiments

/// How a command prints tables and progress.
struct PrintOptions: ParsableArguments {
  @Flag(
    help:
      "Print one JSON object with the tables by name, with the columns of the CSV files."
  )
  var json = false
  @Flag(help: "Print no results; files are still written, and remarks and errors still go to standard error.")
  var quiet = false
  @OptionGroup
  var progress: ProgressOption

  func validate() throws {
    guard !json || !quiet else { throw ValidationError("Give --json or --quiet, not both.") }
  }

  /// Prints a line, unless tables are printed as JSON or not at all.
  func say(_ text: @autoclosure () -> String) { if !json, !quiet { print(text()) } }

  /// Prints tables as text, as JSON, or not at all.
  func show(
    _ text: @autoclosure () -> String,
    _ tables: @autoclosure () throws -> KeyValuePairs<String, CSVTable>
  ) rethrows {
    if json { print(CSVTable.json(try tables())) } else if !quiet { print(text()) }
  }
}

/// `--progress`.
struct ProgressOption: ParsableArguments {
  @Option(
    name: .customLong("progress"),
    help: ArgumentHelp(
      "Progress on standard error: plain (a line for each step) or none (default: one changing line, on terminals only).",
      valueName: "plain|none"))
  var style: ProgressLine.Style?
}

extension ProgressLine.Style: ExpressibleByArgument {}

/// A command that shows its progress.
protocol ShowsProgress: ParsableCommand {
  /// How.
  var progress: ProgressOption { get }
}

/// A command that prints tables.
protocol PrintsTables: ShowsProgress {
  /// How.
  var printing: PrintOptions { get }
}

extension PrintsTables {
  var progress: ProgressOption { printing.progress }
}
