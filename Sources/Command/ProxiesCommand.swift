import ArgumentParser
import Experiments
import Foundation
import Layers
import Learning
import Networks
import Tensors

/// `experiment proxies`: zero-cost proxies of untrained networks.
struct ProxiesCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "proxies",
    abstract: "Rank kernels without training: zero-cost proxies of a model with each of them.",
    discussion: """
      Example: swift run experiment proxies resnet20 --conv standard,dilated,adder --csv proxies.csv

      Prints one row per kernel; the default model is the main job's. docs/proxies.md has the formulas and papers.
      """)

  @OptionGroup(title: "The model")
  var model: ModelArgument
  @Option(help: .kernels)
  var conv = "standard"
  @OptionGroup(title: "The model")
  var variations: ModelOptions
  @Option(help: .data)
  var data = "digits"
  @Option(help: ArgumentHelp("Images in a minibatch.", valueName: "n"))
  var batch = 32
  @Option(help: ArgumentHelp("Minibatches; ZiCo uses all, the other proxies the first.", valueName: "n"))
  var batches = 4
  @Option(help: "Whether minibatches are random images of the training split (on) or its first ones (off).")
  var shuffle = Switch.on
  @Option(
    help: ArgumentHelp(
      "Proxies, separated by commas (default: all but the alternative forms fisher_published and zen_published).",
      valueName: "names"))
  var proxies: ProxyList?
  @Option(
    help: ArgumentHelp("Weights instead of initial ones, for a single kernel.", valueName: "file.safetensors")
  )
  var weights: String?
  @Option(help: ArgumentHelp("The seed of initial weights, minibatches and draws.", valueName: "n"))
  var seed = 0
  @OptionGroup
  var threads: ThreadOption
  @Option(help: .rows)
  var csv: String?

  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    try check(batch, "--batch", 2...1024)
    try check(batches, "--batches", 1...1024)
    try check(seed, "--seed", 0...Int(Int32.max))
  }

  func run() throws {
    let kernels = try variations.kernels(ExperimentCommand.registry.choices(conv))
    guard weights == nil || kernels.count == 1 else {
      throw WorkbenchError("--weights fit one kernel; name a single one with --conv.")
    }
    let data = try loadData(data)
    if let csv { try AtomicFile.checkFolder(of: csv) }
    let standard = try ExperimentCommand.registry.choice("standard")
    let description = try variations.description(
      model.name ?? Models.standard, inputChannels: data.train.images.shape[3], classes: data.classes)
    try data.check(fits: description)
    let minibatches = Minibatch.draw(
      batches, of: batch, from: data.train,
      random: shuffle == .on ? Random(seed: UInt64(seed)).split("proxies") : nil)
    Cancellation.listen()
    let progress = ProgressLine("proxies", total: kernels.count)
    defer { progress.finish() }
    let study = try ProxyStudy(
      kernels, batches: minibatches, chosen: proxies?.proxies ?? Proxy.standard, seed: UInt64(seed),
      threads: threads.count, progress: progress
    ) { kernel, isPlain in
      let network = try Network(
        isPlain ? description.plain : description, kernel: kernel, standard: standard,
        seed: UInt64(seed))
      if let weights, !isPlain { try load(weights, into: network, data: data) }
      return network
    }
    progress.finish()
    let table = study.table([
      ("model", description.name), ("replace", description.replacement.rawValue), ("data", data.name),
      ("batch", "\(minibatches.first?.images.shape[0] ?? 0)"), ("batches", "\(minibatches.count)"),
      ("seed", "\(seed)"),
    ])
    if let csv { try table.write(to: csv) }
    printing.show(
      "\(description.name) on \(data.name), \(weights.map { "with the weights of \($0)" } ?? "before training")\n\n\(study.text)",
      ["proxies": table])
    if conv != "all", let refused = study.rows.first(where: { $0.refusal != nil }) {
      throw WorkbenchError("\(refused.kernel) was refused: \(refused.refusal ?? "")")
    }
  }
}

/// Names of proxies on the command line: `grad_norm,snip`.
struct ProxyList: ExpressibleByArgument {
  let proxies: [Proxy]

  init?(argument: String) {
    let names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard names.allSatisfy({ Proxy(rawValue: $0) != nil }) else { return nil }
    proxies = Proxy.allCases.filter { names.contains($0.rawValue) }
  }

  static var allValueStrings: [String] { Proxy.allCases.map(\.rawValue) }
}
