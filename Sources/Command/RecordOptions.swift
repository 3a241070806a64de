import ArgumentParser
import Experiments
import Foundation

/// What the commands that keep records do with those that are there.
struct RecordOptions: ParsableArguments {
  @Flag(help: "Start again: delete the folder's records and the tables made from them.")
  var force = false
  @Option(
    defaultAsFlag: "all", parsing: .next,
    help: ArgumentHelp(
      "Redo records made by another build of this program: all, or those of kernels, separated by commas.",
      valueName: "names"))
  var rerun: String?
  @Option(
    help: ArgumentHelp(
      "Threads for timing, and networks trained at once; no result depends on it (default: the processors it may use).",
      valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads { try check(threads, "--threads", 1...1024) }
    guard !force || rerun == nil else {
      throw ValidationError("--force makes everything again; leave out --rerun.")
    }
  }

  /// For the runner.
  var options: SweepRunner.Options {
    .init(force: force, rerun: rerun.map { $0 == "all" ? [] : $0.split(separator: ",").map(String.init) })
  }
}
