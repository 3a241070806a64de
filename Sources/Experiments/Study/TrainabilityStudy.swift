import Kernels
import Layers
import Learning
import Networks
import Tensors

/// How gradients reach the layers of networks of several depths, with and without shortcuts, before and after a short
/// training (He et al., 2015, arXiv:1512.03385, §4.1).
package struct TrainabilityStudy {
  /// One network at one time.
  package struct Entry: Sendable {
    /// The item of `--conv`.
    package let kernel: String
    /// The model's name.
    package let model: String
    /// Its number of layers.
    package let depth: Int
    /// The shortcut of its blocks.
    package let shortcut: ResidualDescription.Shortcut
    /// `initial` or `trained`.
    package let when: String
    /// Test images classified rightly, in percent, after the training.
    package let top1: Double?
    /// The norms, from the input to the output.
    package let norms: [GradientNorm]
  }

  /// The networks, in the order of kernels, depths and shortcuts.
  package private(set) var entries: [Entry] = []
  /// Networks that could not be built or trained, a sentence each.
  package private(set) var problems: [String] = []

  /// Runs the study.
  ///
  /// - Parameters:
  ///   - models: descriptions with their depths; each is also built without shortcuts.
  ///   - recipe: how they are trained, with the given seed; 0 epochs for not at all.
  package init(
    _ kernels: [KernelChoice], standard: KernelChoice,
    models: [(depth: Int, description: ResidualDescription)],
    data: Dataset, batch: Int, recipe: Recipe, seed: UInt64, threads: Int, progress: ProgressLine? = nil
  ) throws {
    let batches = Minibatch.draw(
      1, of: batch, from: data.train, random: Random(seed: seed).split("proxies"))
    guard let batch = batches.first else { return }
    for kernel in kernels {
      for (depth, description) in models {
        for description in [description, description.withoutShortcuts] {
          let name = "\(kernel.item) in \(description.name), shortcut \(description.shortcut.rawValue)"
          progress?.advance(name)
          do {
            let network = try Network(
              description, kernel: kernel, standard: standard, seed: seed)
            _ = try network.outputShape(for: FeatureShape(batch.images))
            func note(_ when: String, top1: Double? = nil) {
              entries.append(
                Entry(
                  kernel: kernel.item, model: description.name, depth: depth, shortcut: description.shortcut,
                  when: when, top1: top1, norms: GradientNorm.all(of: network, batch, threads: threads)))
            }
            note("initial")
            guard recipe.epochs > 0 else { continue }
            let chosen = try Training.train(
              network, on: data, recipe, seed: seed, threads: threads, onStep: Cancellation.check
            ) { _ in }
            note("trained", top1: chosen.test.top1)
          } catch let error as WorkbenchError {
            problems.append("\(name): \(error)")
          }
        }
      }
    }
  }

  /// The file: one row per kernel × depth × shortcut × time × layer.
  package var table: CSVTable {
    typealias Column = Experiments.Column<(entry: Entry, index: Int, norm: GradientNorm)>
    let rows = entries.flatMap { entry in entry.norms.enumerated().map { (entry, $0, $1) } }
    return CSVTable(
      rows,
      [
        Column("kernel") { $0.entry.kernel }, Column("model") { $0.entry.model },
        Column("depth") { $0.entry.depth }, Column("shortcut") { $0.entry.shortcut.rawValue },
        Column("when") { $0.entry.when }, Column("top1") { Cell.fixed($0.entry.top1, decimals: 3) },
        Column("layer") { $0.norm.layer }, Column("index") { $0.index },
        Column("norm") { Cell.number($0.norm.norm, digits: 7) },
        Column("weight_norm") { Cell.number($0.norm.weightNorm, digits: 7) },
      ])
  }

  /// The table for people: one row per network and time.
  package var text: String {
    typealias Row = (entry: Entry, norms: [Double])
    typealias Column = Experiments.Column<Row>
    func norm(_ name: String, _ value: @escaping ([Double]) -> Double) -> Column {
      Column(name) { Cell.number(value($0.norms), digits: 3) }
    }
    let rows = entries.map { ($0, $0.norms.map(\.norm)) }.filter { !$0.1.isEmpty }
    let table = TextTable(
      rows,
      [
        Column("kernel") { $0.entry.kernel }, Column("depth") { $0.entry.depth },
        Column("shortcut") { $0.entry.shortcut.rawValue }, Column("when") { $0.entry.when },
        norm("first") { $0[0] }, norm("median") { Statistics.median($0) }, norm("last") { $0[$0.count - 1] },
        norm("first / last") { $0[0] / $0[$0.count - 1] },
        Column("top-1 %") { Cell.fixed($0.entry.top1, decimals: 1) },
      ], left: [0, 2, 3])
    return
      ([
        table.fitted,
        "\nNorms of the loss's gradient to the weights of the first, the median and the last layer.",
      ]
      + problems).joined(separator: "\n")
  }
}
