import ArgumentParser
import Experiments
import Foundation
import Tensors

/// The options of a sweep on many machines.
struct ManyMachines: ParsableArguments {
  @Flag(
    help:
      "Submit what is missing as Slurm jobs: timings, an array, and the tables. Arguments after -- go to sbatch."
  )
  var slurm = false
  @Flag(help: "With --slurm: print the script and the commands instead of submitting them.")
  var print = false
  private static let usualTasks = 16
  @Option(
    help: ArgumentHelp(
      "With --slurm: the largest number of array tasks (default: \(usualTasks)).", valueName: "n"))
  private var tasks: Int?
  @Flag(help: "With --slurm: let the last job make a report, too.")
  var report = false
  @Flag(help: "Show how many runs are done, running, failed and missing, and estimate the time left.")
  var status = false
  @Option(
    help: ArgumentHelp(
      "Work as process i of n, without making tables: i/n, i from 1, or auto in a task of a Slurm array (the default there).",
      valueName: "i/n"))
  var shard: String?
  @Option(help: ArgumentHelp("With --shard: the part to do, timings, rest or all.", valueName: "part"))
  var part = SweepPart.all
  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("Do one run only, given by the beginning of its record's name.", valueName: "name"))
  var only: String?
  @Flag(help: "Make the tables from the existing records; run nothing.")
  var collect = false
  @Flag(help: "Try runs again that were given up after failures.")
  var retry = false
  @Option(
    help: ArgumentHelp(
      "Seconds between heartbeats; after four missed ones, others take over a process's work.",
      valueName: "seconds"))
  var heartbeat = 30.0
  @Option(
    help: ArgumentHelp(
      "Seconds between a training's checkpoints, from which it resumes if it is killed.",
      valueName: "seconds"))
  var checkpoint = 600.0
  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("With --slurm: options of sbatch.", valueName: "sbatch"))
  var sbatch: [String] = []

  func validate() throws {
    if let tasks { try check(tasks, "--tasks", 1...10_000) }
    for (value, name) in [(heartbeat, "--heartbeat"), (checkpoint, "--checkpoint")] {
      guard value >= 0.05, value <= 86_400 else {
        throw ValidationError("\(name) is \(value); it must be a number of seconds from 0.05 to 86400.")
      }
    }
    let ways = [
      (slurm, "--slurm"), (status, "--status"), (collect, "--collect"), (shard != nil, "--shard"),
      (only != nil, "--run"),
    ].filter(\.0).map(\.1)
    if ways.count > 1 { throw ValidationError("\(ways[0]) and \(ways[1]) exclude each other; give one.") }
    guard slurm || !print && !report && tasks == nil && sbatch.isEmpty else {
      throw ValidationError("--print, --report, --tasks and arguments after -- need --slurm.")
    }
    guard try part == .all || share != nil else { throw ValidationError("--part needs --shard.") }
    if let only, only.isEmpty { throw ValidationError("--run is empty; --dry-run shows the names.") }
    _ = try share
  }

  /// The share of this process; nil if it does everything.
  var share: Shard? {
    get throws {
      let variables = ProcessInfo.processInfo.environment
      func number(_ name: String) -> Int? { variables[name].flatMap { Int($0) } }
      let task = number("SLURM_ARRAY_TASK_ID")
      guard let shard = shard ?? (task != nil && !collect && only == nil ? "auto" : nil) else { return nil }
      if shard == "auto" {
        guard let task, let count = number("SLURM_ARRAY_TASK_COUNT"), count > 0 else {
          throw ValidationError("--shard auto is for a task of a Slurm array; give i/n, such as 1/8.")
        }
        return Shard(index: max(0, task - (number("SLURM_ARRAY_TASK_MIN") ?? 0)), of: count)
      }
      let parts = shard.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
      guard parts.count == 2, let index = parts[0], let count = parts[1], (1...1_000_000).contains(count),
        (1...count).contains(index)
      else { throw ValidationError("--shard is ‘\(shard)’; it must be i/n, such as 1/8 to 8/8, or auto.") }
      return Shard(index: index - 1, of: count)
    }
  }

  /// The largest number of array tasks.
  var arrayTasks: Int { tasks ?? Self.usualTasks }

  /// Whether something is asked for that concerns many machines.
  var isGiven: Bool { get throws { try slurm || status || collect || only != nil || share != nil } }

  /// Further arguments for the Slurm jobs.
  func arguments(_ records: RecordOptions, _ margin: Double?) -> [String] {
    (records.rerun.map { ["--rerun", $0] } ?? []) + (margin.map { ["--margin", "\($0)"] } ?? [])
      + ["--heartbeat", "\(heartbeat)", "--checkpoint", "\(checkpoint)"]
  }
}

extension SweepPart: ExpressibleByArgument {}
