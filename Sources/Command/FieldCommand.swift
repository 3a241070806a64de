import ArgumentParser
import Experiments
import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors

/// `experiment field`: effective receptive fields.
struct FieldCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "field",
    abstract:
      "Measure effective receptive fields: which input pixels the centre of a feature map depends on.",
    discussion: """
      Example: swift run experiment field --conv standard,dilated,shift --depth 10 --csv field.csv --map fields

      Of a stack of layers with the kernel, or of the last feature map of a model (docs/proxies.md).
      """)

  @Option(
    help: ArgumentHelp("Kernels, separated by commas, or all; see ‘experiment list’.", valueName: "names"))
  var conv: String
  @Option(help: ArgumentHelp("Layers of the stack (default: 10).", valueName: "n"))
  var depth: Int?
  @Option(help: ArgumentHelp("The window of the stack's kernels (default: 3).", valueName: "n"))
  var kernel: Int?
  @Option(help: ArgumentHelp("Channels of the stack (default: 32).", valueName: "n"))
  var channels: Int?
  @OptionGroup(title: "A model in place of the stack")
  var model: ModelArgument
  @OptionGroup(title: "A model in place of the stack")
  var variations: ModelOptions
  @Option(help: ArgumentHelp("The images (default: 61; of a model its own).", valueName: "size"))
  var size: SizeArgument?
  @Option(help: ArgumentHelp("Draws of weights and images, over which is averaged.", valueName: "n"))
  var seeds = 5
  @Option(help: ArgumentHelp("Images of each draw.", valueName: "n"))
  var batch = 4
  @Option(help: ArgumentHelp("Threads; no result depends on it (default: all cores).", valueName: "n"))
  var threads = ProcessInfo.processInfo.activeProcessorCount
  @Option(help: ArgumentHelp("Where the rows go.", valueName: "file"))
  var csv: String?
  @Option(help: ArgumentHelp("A folder for the maps: KERNEL.npy and KERNEL.pgm.", valueName: "dir"))
  var map: String?

  func validate() throws {
    for (value, name, range) in [
      (depth, "--depth", 1...1000), (kernel, "--kernel", 1...1023), (channels, "--channels", 1...4096),
      (seeds, "--seeds", 1...10_000), (batch, "--batch", 1...4096), (threads, "--threads", 1...1024),
      (size?.pair.height, "--size", 1...4096), (size?.pair.width, "--size", 1...4096),
    ] {
      if let value { try check(value, name, range) }
    }
    guard model.name == nil || (depth == nil && kernel == nil && channels == nil) else {
      throw ValidationError(
        "--depth, --kernel and --channels belong to a stack; leave them out, or the model.")
    }
    guard kernel.map({ $0 % 2 == 1 }) ?? true else {
      throw ValidationError("--kernel must be odd, so that there is a centre.")
    }
  }

  func run() throws {
    let model = model.name
    let kernels = try variations.kernels(ExperimentCommand.registry.choices(conv))
    let standard = try ExperimentCommand.registry.choice("standard")
    if let csv { try AtomicFile.checkFolder(of: csv) }
    let depth = depth ?? 10, window = kernel ?? 3
    var channels = channels ?? 32, size = size?.pair ?? Pair(61), description: (any ModelDescription)?
    if let model {
      let own = Models.input(model)
      channels = own.channels
      size = self.size?.pair ?? Pair(own.height, own.width)
      description = try variations.description(model, inputChannels: channels, classes: 10)
    }
    Cancellation.listen()
    let progress = ProgressLine("fields", total: kernels.count * seeds)
    defer { progress.finish() }
    let study = try FieldStudy(
      kernels, .init(size: size, channels: channels, seeds: seeds, batch: batch, threads: threads),
      progress: progress
    ) { kernel, seed in
      guard let description else {
        return try FieldStudy.stack(kernel, depth: depth, window: window, channels: channels, seed: seed)
      }
      let network = try Network(description, kernel: kernel, standard: standard, seed: seed)
      guard let links = network.featureLinks else {
        throw WorkbenchError("\(description.name) has no last feature map; leave out --model.")
      }
      return links
    }
    progress.finish()
    if let csv {
      try study.table([
        ("model", model ?? "stack"), ("depth", model == nil ? "\(depth)" : ""),
        ("kernel_size", model == nil ? "\(window)" : ""), ("channels", "\(channels)"), ("seeds", "\(seeds)"),
        ("batch", "\(batch)"),
      ]).write(to: csv)
    }
    if let map { try study.writeMaps(to: map) }
    print(study.text)
    if conv != "all", let refused = study.rows.first(where: { $0.refusal != nil }) {
      throw WorkbenchError("\(refused.kernel) was refused: \(refused.refusal ?? "")")
    }
  }
}
