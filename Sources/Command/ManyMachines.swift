import ArgumentParser
import Experiments
import Foundation
import Tensors

/// The options of a sweep on many machines.
struct ManyMachines: ParsableArguments {
  @Flag(
    help:
      "Submit what is missing as jobs of Slurm: timings, an array, and one for the tables. What follows -- goes to sbatch."
  )
  var slurm = false
  @Flag(help: "With --slurm: print the script and the commands instead of submitting them.")
  var print = false
  @Option(help: ArgumentHelp("With --slurm: the most tasks of the array.", valueName: "n"))
  var tasks = 16
  @Flag(help: "With --slurm: the last job makes a report, too.")
  var report = false
  @Flag(help: "Count what is done, running, failed and missing, and estimate the time left.")
  var status = false
  @Option(
    help: ArgumentHelp(
      "Do what this process can claim, as one of many, and make no tables: i/n, i from 1, or auto for a Slurm array's task (the default in one).",
      valueName: "i/n"))
  var shard: String?
  @Option(help: ArgumentHelp("With --shard: timings, rest or all.", valueName: "part"))
  var part = SweepPart.all
  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("Do one run only, by the beginning of its record's name.", valueName: "name"))
  var only: String?
  @Flag(help: "Make the tables of what there is; run nothing.")
  var collect = false
  @Flag(help: "Try again what was given up after failures.")
  var retry = false
  @Option(
    help: ArgumentHelp(
      "Seconds between signs of life; after four times as long, others take over a process's work.",
      valueName: "seconds"))
  var heartbeat = 30.0
  @Option(
    help: ArgumentHelp(
      "Seconds between checkpoints of a training, from which it is resumed if it is killed.",
      valueName: "seconds"))
  var checkpoint = 600.0
  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("With --slurm: options of sbatch.", valueName: "sbatch"))
  var sbatch: [String] = []

  func validate() throws {
    try check(tasks, "--tasks", 1...10_000)
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
    guard slurm || !print && !report && sbatch.isEmpty else {
      throw ValidationError("--print, --report and what follows -- need --slurm.")
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

  /// Whether something is asked for that concerns many machines.
  var isGiven: Bool { get throws { try slurm || status || collect || only != nil || share != nil } }

  /// What the jobs of Slurm are told, too.
  func arguments(_ records: RecordOptions, _ margin: Double?) -> [String] {
    (records.rerun.map { ["--rerun", $0] } ?? []) + (margin.map { ["--margin", "\($0)"] } ?? [])
      + ["--heartbeat", "\(heartbeat)", "--checkpoint", "\(checkpoint)"]
  }
}

extension SweepPart: ExpressibleByArgument {}
