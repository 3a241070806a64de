import Foundation
import Learning
import Networks
import Tensors

/// A sweep as Slurm jobs: one for the timings, an array for the rest, and one that makes the tables after both.
package struct SlurmJobs {
  /// What the user chooses.
  package struct Options: Sendable {
    /// The most tasks of the array.
    package var tasks: Int
    /// Whether the last job makes a report, too.
    package var withReport: Bool
    /// Options of sbatch, for all jobs; they come last, so they hold.
    package var sbatch: [String]
    /// Options of the sweep that its jobs take, too.
    package var arguments: [String]

    /// Options.
    package init(tasks: Int, withReport: Bool, sbatch: [String], arguments: [String]) {
      self.tasks = tasks
      self.withReport = withReport
      self.sbatch = sbatch
      self.arguments = arguments
    }
  }

  /// The shell script that all jobs run.
  package let script: String
  /// Each job's part, and its arguments of sbatch.
  private let jobs: [(part: String, arguments: [String])]
  private let folder: ResultFolder
  private let options: Options
  /// Whether the array waits for the timings, since widths follow from them.
  private let waits: Bool
  private let common: [String]

  /// The jobs for what is missing.
  ///
  /// - Parameters:
  ///   - file: the sweep's file.
  ///   - threads: processors of a task: trainings at a time, and threads of what is timed.
  init(
    _ missing: [SweepPlan.Run], of plan: SweepPlan, file: String, output: String, threads: Int,
    _ options: Options
  ) {
    let here = FileManager.default.currentDirectoryPath
    func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
    folder = ResultFolder(absolute(output))
    self.options = options
    let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    common = ["--parsable", "--chdir=\(here)"]
    let timed = missing.filter(\.isTimed), rest = missing.filter { !$0.isTimed }
    // What follows from rates and widths that are still to be chosen is not counted yet.
    let tasks = plan.isComplete ? min(options.tasks, (rest.count + threads - 1) / threads) : options.tasks
    waits = plan.groups.contains { !$0.matchings.isEmpty }
    var jobs: [(String, [String])] = []
    let logs = folder.path("slurm")
    if !timed.isEmpty {
      jobs.append(
        ("timings", ["--job-name=\(name)-timings", "--output=\(logs)/timings-%j.log", "--exclusive"]))
    }
    if tasks > 0 {
      jobs.append(
        ("rest", ["--job-name=\(name)", "--output=\(logs)/rest-%A_%a.log", "--array=1-\(tasks)"]))
    }
    jobs.append(
      ("tables", ["--job-name=\(name)-tables", "--output=\(logs)/tables-%j.log", "--cpus-per-task=1"]))
    self.jobs = jobs
    let program =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "experiment"
    let words =
      [
        program, "sweep", absolute(file), "--output", folder.path, "--threads", "\(threads)",
      ] + options.arguments
    script = Self.script(
      words.map(Escape.shell), Escape.shell(folder.path), threads: threads,
      mebibytes: Self.memory(missing, threads), withReport: options.withReport)
  }

  private static func script(
    _ words: [String], _ folder: String, threads: Int, mebibytes: Int, withReport: Bool
  ) -> String {
    """
    #!/bin/bash
    # Written by ‘experiment sweep --slurm’. The argument says which part of the sweep this job does: timings, rest or
    # tables.
    #SBATCH --nodes=1 --ntasks=1 --cpus-per-task=\(threads) --mem=\(mebibytes)M
    #SBATCH --requeue --open-mode=append --signal=B:USR1@120
    case $1 in
      timings) part=(--shard 1/1 --part timings) ;;
      rest) part=(--shard auto --part rest) ;;
      tables) part=(--collect) ;;
      *) echo "give timings, rest or tables" >&2; exit 64 ;;
    esac
    export WORKBENCH_LOG=\(folder)/slurm/$1-${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}.log
    # Slurm says USR1 before the time limit, and TERM when a job is preempted or cancelled: the program then keeps its
    # trainings where they are. At the time limit the job queues again; a preempted one Slurm requeues itself.
    asked=
    trap 'asked=requeue; kill -USR1 "$child" 2>/dev/null' USR1
    trap 'asked=${asked:-stop}; kill -TERM "$child" 2>/dev/null' TERM
    # A program that was killed, by whatever, begins again: what was finished is kept.
    for start in {1..10}; do
      \(words.joined(separator: " ")) "${part[@]}" &
      child=$!
      wait "$child"; status=$?
      while kill -0 "$child" 2>/dev/null; do wait "$child"; done
      wait "$child"; status=$?
      if [ -n "$asked" ] || [ "$status" -le 128 ] || [ "$status" -eq 130 ]; then break; fi
      echo "The program was killed (status $status); starting it again." >&2
    done
    if [ "$asked" = requeue ] && [ "$status" -eq 130 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
    \(withReport ? "if [ \"$1\" = tables ]; then \(words[0]) report \(folder) || status=1; fi\n" : "")exit "$status"

    """
  }

  /// An estimate of what a task needs, in MiB: what the largest network keeps of a batch forwards and backwards, its
  /// parameters with gradients and the optimiser's state, for all that are trained at a time, and the data.
  static func memory(_ runs: [SweepPlan.Run], _ threads: Int) -> Int {
    var seen = Set<String>(), largest = 0.0, data: [String: Double] = [:]
    for run in runs {
      guard let training = SweepWork.Training(run), case .training(_, _, _, let network) = run.work,
        seen.insert("\(network) \(training.choice.item)").inserted
      else { continue }
      let specification = training.specification, images = specification.data
      data[images.name] = 4 * Double(images.train.images.count + images.test.images.count)
      guard let made = try? specification.network(training.choice, seed: 0),
        let cost = try? made.cost(for: images.imageShape, pass: .inference)
      else { continue }
      let parameters = 4 * Double(cost.parameters)
      // Arrays are counted where they are written and where they are read; a batch of the test has no gradients.
      let activations = max(0, Double(cost.bytes) - parameters) * Double(max(specification.recipe.batch, 1))
      largest = max(largest, 1.5 * activations + 6 * parameters)
    }
    let bytes = largest * Double(threads) + 2 * data.values.reduce(0, +)
    let mebibytes = min(bytes / Double(1 << 20), 1e7) + 512
    return Int((mebibytes / 256).rounded(.up)) * 256
  }

  /// The command line of a job; `others` are the numbers of the jobs before it.
  private func command(_ job: (part: String, arguments: [String]), after others: [String]) -> [String] {
    let dependency =
      (job.part == "tables" || waits) && !others.isEmpty
      ? ["--dependency=afterany:\(others.joined(separator: ":"))"] : []
    return ["sbatch"] + common + job.arguments + dependency + options.sbatch
      + [folder.path("slurm/job.sh"), job.part]
  }

  /// The script, and as comments how it is submitted.
  package var text: String {
    return script
      + jobs.enumerated().map { index, job in
        let words = command(job, after: jobs[..<index].map { "$\($0.part)" }).map {
          $0.contains("$") ? $0 : Escape.shell($0)
        }
        return "# \(job.part)=$(\(words.joined(separator: " ")))\n"
      }.joined()
  }

  /// Submits the jobs.
  ///
  /// - Returns: each job's part and number.
  package func submit() throws -> [(part: String, number: String)] {
    try folder.make()
    try folder.makeFolder("slurm")
    try AtomicFile.write(Data(script.utf8), to: folder.path("slurm/job.sh"))
    var numbers: [(part: String, number: String)] = []
    for job in jobs {
      let words = command(job, after: numbers.map(\.number))
      let end = ChildProcess.run("/usr/bin/env", words, limit: 120)
      guard let end, end.status == 0,
        let number = end.output.split(whereSeparator: { ";\n ".contains($0) }).first
      else {
        let reason =
          end?.status == 127 ? "sbatch is not on the PATH" : (end?.errors ?? "it cannot be started").onOneLine
        let before =
          numbers.isEmpty
          ? "" : " Submitted before: \(numbers.map(\.number).joined(separator: ", ")); scancel ends them."
        throw WorkbenchError("The job ‘\(job.part)’ was not submitted: \(reason).\(before)")
      }
      numbers.append((job.part, String(number)))
    }
    return numbers
  }
}

extension SweepRunner {
  /// Jobs for what is missing in a folder.
  package func slurmJobs(file: String, output: String, _ options: SlurmJobs.Options) throws -> SlurmJobs {
    if !plan.isComplete, let later = try planned(in: output, Options()) {
      return try later.slurmJobs(file: file, output: output, options)
    }
    let folder = ResultFolder(output)
    try check(folder)
    let names = Set(SweepRecords.names(in: output))
    return SlurmJobs(
      plan.runs.filter { !names.contains($0.name) }, of: plan, file: file, output: output, threads: threads,
      options)
  }
}
