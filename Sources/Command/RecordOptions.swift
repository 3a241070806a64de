import ArgumentParser
import Experiments
import Foundation

/// What commands that keep records do with existing ones.
struct RecordOptions: ParsableArguments {
  @Flag(help: "Start again: delete the folder's records and the tables made from them.")
  var force = false
  @Option(
    defaultAsFlag: "all", parsing: .next,
    help: ArgumentHelp(
      "Repeat runs whose records another build of this program made: all, or those of kernels, separated by commas.",
      valueName: "names"))
  var rerun: String?
  @Option(
    help: ArgumentHelp(
      "Threads for timing, and trainings at a time; results do not depend on it (default: the available processors).",
      valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads { try check(threads, "--threads", 1...1024) }
    guard !force || rerun == nil else {
      throw ValidationError("--force repeats everything; leave out --rerun.")
    }
  }

  /// For the runner.
  var options: SweepRunner.Options {
    .init(force: force, rerun: rerun.map { $0 == "all" ? [] : $0.split(separator: ",").map(String.init) })
  }
}
