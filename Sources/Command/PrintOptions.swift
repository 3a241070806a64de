import ArgumentParser
import Experiments

/// How a command that prints a table does it, and what it says meanwhile.
struct PrintOptions: ParsableArguments {
  @Flag(
    help:
      "Print one JSON object instead of tables for people: tables by their names, with the columns of CSV files."
  )
  var json = false
  @Flag(help: "Print no results; files are written all the same.")
  var quiet = false
  @OptionGroup
  var progress: ProgressOption

  func validate() throws {
    guard !json || !quiet else { throw ValidationError("Give --json or --quiet, not both.") }
  }

  /// Prints a line for people, where tables are for them.
  func say(_ text: @autoclosure () -> String) { if !json, !quiet { print(text()) } }

  /// Prints tables: for people, as JSON, or not at all.
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
      "Progress on standard error: plain, a line for each step, or none (default: a line that changes, on terminals).",
      valueName: "plain|none"))
  var style: ProgressLine.Style?
}

extension ProgressLine.Style: ExpressibleByArgument {}

/// A command that says how far it is.
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
