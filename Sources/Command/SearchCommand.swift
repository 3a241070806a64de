import ArgumentParser
import Experiments
import Tensors

/// `experiment search`: what methods of search would find in a table.
struct SearchCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Simulate searches for the best network of a space on its finished table; nothing is trained.",
    discussion: """
      Example: swift run experiment sweep experiments/space-quick.yaml && swift run experiment search --table experiment-output/space-quick/networks.csv --budget macs=1x

      Random search, regularised evolution and, where training.csv stands beside the table, successive halving. \
      docs/sweeps.md says how each works.
      """)

  @Option(help: ArgumentHelp("The networks.csv of a sweep over a space.", valueName: "file.csv"))
  var table: String
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "What a network may cost: latency, params, macs or energy, as latency=1.2x (times standard's) or params=200000.",
      valueName: "budget"))
  var budget: [String] = []
  @Option(
    help: ArgumentHelp(
      "Whole trainings of each search (default: a quarter of the networks within the budget).", valueName: "n"
    ))
  var evaluations: Int?
  @Option(help: ArgumentHelp("How often each method searches.", valueName: "n"))
  var repeats = 500
  @Option(help: ArgumentHelp("What the searches depend on.", valueName: "n"))
  var seed = 0
  @Option(help: .rows)
  var csv: String?

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    try check(repeats, "--repeats", 2...100_000)
    try check(seed, "--seed", 0...Int(Int32.max))
    if let evaluations { try check(evaluations, "--evaluations", 1...100_000) }
  }

  func run() throws {
    if let csv { try AtomicFile.checkFolder(of: csv) }
    Cancellation.listen()
    let simulation = try SearchSimulation(
      table: table, budgets: budget, evaluations: evaluations, repeats: repeats, seed: UInt64(seed))
    if let csv { try simulation.table.write(to: csv) }
    printing.show(simulation.text, ["search": simulation.table])
  }
}
