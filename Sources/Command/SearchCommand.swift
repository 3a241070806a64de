import ArgumentParser
import Experiments
import Foundation
import Tensors

/// `experiment search`: the best network of a space, by training, or in a table.
struct SearchCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract:
      "Search a space for the best network within a budget, by training; or simulate that on a finished table.",
    discussion: """
      Example: swift run experiment search experiments/space-quick.yaml --budget macs=0.8x --evaluations 6

      Trains the networks that the search picks, then retrains the Pareto front with other seeds. Each training is \
      a record of the folder, as in a sweep of the same file, so a search resumes and uses what is already trained.

      Example: swift run experiment sweep experiments/space-quick.yaml && swift run experiment search --table experiment-output/space-quick/networks.csv --budget macs=1x

      Trains nothing: random search, regularised evolution and, if training.csv is next to the table, successive \
      halving search the table many times. docs/sweeps.md says how each works.
      """)

  @Argument(
    help: ArgumentHelp(
      "The sweep of a space on one model and one data set, such as experiments/space-quick.yaml.",
      valueName: "file.yaml"))
  var file: String?
  @Option(
    help: ArgumentHelp("In place of a file: the networks.csv of a sweep over a space.", valueName: "file.csv")
  )
  var table: String?
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Limits on a network's latency, params, macs or energy, such as latency=1.2x (times standard's) or params=200000.",
      valueName: "budget"))
  var budget: [String] = []
  @Option(help: ArgumentHelp("random, evolution or halving (default: evolution; in a table, all of them)."))
  var method: NetworkSearch.Method?
  @Option(
    help: ArgumentHelp(
      "Whole trainings of a search (default: 40; in a table, a quarter of the networks within the budget).",
      valueName: "n"))
  var evaluations: Int?
  @Option(
    help: ArgumentHelp(
      "Train only the candidate with the highest value of this proxy, params or macs.", valueName: "name"))
  var filter: String?
  @Option(help: ArgumentHelp("Candidates for each training, with --filter.", valueName: "n"))
  var candidates = 8
  @Option(help: ArgumentHelp("The seed of the search.", valueName: "n"))
  var seed = 0
  @Option(
    help: ArgumentHelp(
      "The folder for records and the table (default: experiment-output/NAME, by the file's name).",
      valueName: "dir"))
  var output: String?
  @Option(
    help: ArgumentHelp("Seeds for retraining the Pareto front.", valueName: "n"))
  var freshSeeds = 3
  @Option(
    help: ArgumentHelp("Networks trained at once (default: the processors it may use).", valueName: "n"))
  var threads: Int?
  @Option(help: ArgumentHelp("In a table: how often each method searches (default: 500).", valueName: "n"))
  var repeats: Int?
  @Option(help: ArgumentHelp("In a table: the file for the rows.", valueName: "file"))
  var csv: String?

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    guard (file == nil) != (table == nil) else {
      throw ValidationError(
        "Give a file of a space to train its networks, or --table to search a finished table.")
    }
    if file != nil, repeats != nil || csv != nil {
      throw ValidationError("--repeats and --csv are for --table; the rows of a search go to its folder.")
    }
    if table != nil, output != nil || threads != nil || method != nil {
      throw ValidationError("--output, --threads and --method are for a search that trains; leave them out.")
    }
    if let output, output.isEmpty { throw ValidationError("--output is empty; give a folder.") }
    if let repeats { try check(repeats, "--repeats", 2...100_000) }
    try check(seed, "--seed", 0...Int(Int32.max))
    try check(candidates, "--candidates", 2...1000)
    try check(freshSeeds, "--fresh-seeds", 2...1000)
    if let filter, !ProxyQuality.columns.contains(filter) {
      throw ValidationError(
        "--filter is ‘\(filter)’; choose from \(ProxyQuality.columns.joined(separator: ", ")).")
    }
    if let threads { try check(threads, "--threads", 1...1024) }
    if let evaluations { try check(evaluations, "--evaluations", 1...100_000) }
  }

  func run() throws {
    if let csv { try AtomicFile.checkFolder(of: csv) }
    Cancellation.listen()
    if let file { return try train(file) }
    guard let table else { return }
    let simulation = try SearchSimulation(
      table: table, budgets: budget, evaluations: evaluations, filter: filter,
      candidates: candidates,
      repeats: repeats ?? 500, seed: UInt64(seed))
    if let csv { try simulation.table.write(to: csv) }
    printing.show(simulation.text, ["search": simulation.table])
  }

  private func train(_ file: String) throws {
    let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
    let output = output ?? "experiment-output/\(stem)"
    var settings = TrainedSearch.Settings()
    settings.method = method ?? settings.method
    settings.evaluations = evaluations ?? settings.evaluations
    (settings.budgets, settings.filter, settings.candidates) = (budget, filter, candidates)
    (settings.freshSeeds, settings.seed) = (freshSeeds, seed)
    let registry = ExperimentCommand.registry
    let search = try TrainedSearch(
      Sweep(file: file, registry), registry, settings, threads: threads ?? Processors.usable)
    let isTold = ProgressLine.style == .plain || ProgressLine.style == nil && isatty(STDERR_FILENO) == 1
    let result = try search.run(output: output) { if isTold { warn($0) } }
    printing.show("\(result.text)\n\nAll trainings: \(output)/\(result.file)", ["search": result.table])
  }
}

extension NetworkSearch.Method: ExpressibleByArgument {}
