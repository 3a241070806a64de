import Foundation
import Learning
import Networks
import Tensors

/// The tables of a run, made from its studies.
public struct Results {
  private let specification: Specification
  private let machine: MachineRecord
  private let operators: [OperatorRow]
  private let networks: [NetworkRow]
  private let runs: [TrainedRun]

  init(
    _ specification: Specification, _ machine: MachineRecord, operators: [OperatorRow],
    networks: [NetworkRow],
    runs: [TrainedRun]
  ) {
    self.specification = specification
    self.machine = machine
    self.operators = operators
    self.networks = networks
    self.runs = runs
  }

  /// operators.csv: one row per kernel × shape × algorithm × pass.
  public var operatorTable: CSVTable {
    CSVTable(operators: operators, threads: specification.threads, machine)
  }

  /// networks.csv: one row per kernel whose training is finished or that refused.
  public var networkTable: CSVTable {
    typealias Column = Experiments.Column<NetworkRow>
    func measured(_ name: String, _ cell: @escaping (NetworkRow) -> (any CustomStringConvertible)?) -> Column
    {
      Column(name) { $0.refusal == nil ? cell($0) : nil }
    }
    func mean(_ name: String, _ measure: KeyPath<TestResult, Double?>, _ decimals: Int) -> [Column] {
      [
        measured(name + "_mean") {
          Cell.fixed(Statistics.mean(results($0.kernel, measure)), decimals: decimals)
        },
        measured(name + "_ci95") {
          Cell.fixed(Statistics.confidence95(results($0.kernel, measure)), decimals: decimals)
        },
      ]
    }
    let energy = EnergyModel()
    let counts: [Column] =
      [Column("kernel") { $0.kernel }]
      + Column.shared([
        ("model", specification.model.name), ("replace", specification.model.replacement.rawValue),
        ("data", specification.data.name),
      ]) + [
        measured("params") { $0.cost.parameters }, measured("macs") { $0.cost.macs },
        measured("adds") { $0.cost.adds }, measured("other_ops") { $0.cost.otherOps },
      ]
    let speed = [
      measured("latency_ms_median") { Cell.number($0.times.median) },
      measured("latency_ms_mad") { Cell.number($0.times.deviation) },
      measured("speedup_vs_standard") { Cell.number($0.times.speedup, digits: 4) },
    ]
    let proxies = Proxy.allCases.map { proxy in
      measured(proxy.rawValue) { $0.proxies.values[proxy].map { Cell.number($0, digits: 7) } }
    }
    let accuracy =
      mean("top1", \.top1, 3)
      + (isRegression ? mean("test_mse", \.mse, 9) + mean("test_mae", \.mae, 9) : [])
    let training = [
      Column("seeds") { runs(of: $0).filter(\.isFinished).count },
      Column("epochs") { _ in specification.recipe.epochs },
      measured("train_seconds") { row in
        Cell.fixed(runs(of: row).reduce(0) { $0 + $1.seconds }, decimals: 2)
      },
      Column("status") { $0.refusal != nil ? "refused" : failure(of: $0) != nil ? "failed" : "ok" },
      Column("reason") { $0.refusal ?? failure(of: $0) },
      measured("top1_difference") { Cell.fixed(difference($0.kernel).mean, decimals: 3) },
      measured("top1_difference_ci95") { Cell.fixed(difference($0.kernel).confidence95, decimals: 3) },
    ]
    let models = [
      measured("energy_uj") { Cell.number(energy.arithmetic($0.cost)) },
      measured("energy_dram_uj") { Cell.number(energy.memory($0.cost)) },
      measured("proxies_missing") { $0.proxies.note },
    ]
    let finished = networks.filter { row in
      runs(of: row).allSatisfy { $0.isFinished || $0.failure != nil }
    }
    return CSVTable(finished, counts + speed + proxies + accuracy + training + models)
  }

  /// training.csv: one row per kernel × seed × epoch.
  public var trainingTable: CSVTable {
    typealias Column = Experiments.Column<(run: TrainedRun, epoch: EpochResult)>
    var columns = [
      Column("kernel") { $0.run.kernel }, Column("model") { _ in specification.model.name },
      Column("data") { _ in specification.data.name }, Column("seed") { $0.run.seed },
      Column("epoch") { $0.epoch.epoch }, Column("rate") { Cell.number($0.epoch.rate) },
      Column("train_loss") { Cell.number($0.epoch.trainLoss, digits: 9) },
      Column("train_top1") { Cell.fixed($0.epoch.trainTop1, decimals: 3) },
      Column("test_top1") { Cell.fixed($0.epoch.testTop1, decimals: 3) },
      Column("seconds") { Cell.fixed($0.epoch.seconds, decimals: 3) },
      Column("replace") { _ in specification.model.replacement.rawValue },
    ]
    if isRegression {
      columns += [
        Column("test_mse") { Cell.number($0.epoch.test.mse, digits: 9) },
        Column("test_mae") { Cell.number($0.epoch.test.mae, digits: 9) },
      ]
    }
    return CSVTable(runs.flatMap { run in run.epochs.map { (run, $0) } }, columns)
  }

  /// The table for people, one row per kernel.
  public var summary: String {
    var table = TextTable(
      [
        "kernel", "params", "MACs", "adds", "other", "conv ms", "×standard", "error", "net ms",
      ] + (isRegression ? ["MSE", "± 95 %", "MAE", "± 95 %"] : ["top-1 %", "± 95 %", "is"]))
    for row in networks {
      guard row.refusal == nil else {
        table.append([row.kernel] + Array(repeating: "–", count: isRegression ? 12 : 11))
        continue
      }
      let stages = firstAlgorithm(row.kernel)
      let time = stages.reduce(0) { $0 + $1.times.median }
      let speedup = exp(Statistics.mean(stages.map { log($0.times.speedup) }))
      let error = operators.filter { $0.kernel == row.kernel }.compactMap(\.maxRelativeError).max()
      let measures: [(KeyPath<TestResult, Double?>, Int)] =
        isRegression ? [(\.mse, 5), (\.mae, 4)] : [(\.top1, 1)]
      let cells = [
        row.kernel, Cell.grouped(row.cost.parameters), Cell.grouped(row.cost.macs),
        Cell.grouped(row.cost.adds),
        Cell.grouped(row.cost.otherOps), Cell.fixed(time, decimals: 2), Cell.fixed(speedup, decimals: 2),
        Cell.number(error, digits: 1), Cell.fixed(row.times.median, decimals: 2),
      ]
      table.append(
        cells
          + measures.flatMap { measure, decimals in
            let values = results(row.kernel, measure)
            return [Statistics.mean(values), Statistics.confidence95(values)].map {
              Cell.fixed($0, decimals: decimals)
            }
          }
          + (isRegression
            ? [] : [difference(row.kernel).verdict(above: 100 / Double(specification.data.test.count))]))
    }
    let image = specification.data.train.images.shape
    let replaced =
      specification.model is ResidualDescription ? "each block's 3×3" : "every k×k convolution but the stem"
    return """
      \(specification.model.name) on \(specification.data.name), the kernel in place of \
      \(specification.model.replacement == .spatial ? replaced : "every convolution but the stem")

      \(table.text)

      params to other: the network and one \(image[1])×\(image[2]) image; conv ms, ×standard and error: a 3×3 of
      ResNet-50's four stages (forward, batch 1, \(specification.threads) threads: the sum of the medians, the geometric mean
      of the ratios to standard in the same rounds, the largest error of both passes, of composed kernels of the forward pass);
      net ms: one image; \(isRegression ? "MSE and MAE" : "top-1"): test split after \(specification.recipe.epochs) epochs, mean of \
      \(specification.seeds) seeds, ± Student's t\(verdictNote).
      """ + problems.map { "\n\($0)" }.joined()
  }

  /// What was refused or failed, one sentence each.
  public var problems: [String] {
    networks.compactMap { row in row.refusal.map { "\(row.kernel) was refused: \($0)" } }
      + runs.compactMap { run in run.failure.map { "\(run.kernel), seed \(run.seed): \($0)" } }
  }

  private var verdictNote: String {
    isRegression
      ? ""
      : ";\nbetter or worse: where the 95 % interval of the difference to standard, seed by seed, excludes zero\nand is more than one image"
  }

  private var isRegression: Bool { specification.data.isRegression }

  /// The trainings of a kernel.
  private func runs(of row: NetworkRow) -> [TrainedRun] { runs.filter { $0.kernel == row.kernel } }

  /// Why a training of a kernel failed, if one did.
  private func failure(of row: NetworkRow) -> String? { runs(of: row).compactMap(\.failure).first }

  /// A measure at the end of the finished runs of a kernel.
  private func results(_ kernel: String, _ measure: KeyPath<TestResult, Double?>) -> [Double] {
    runs.filter { $0.kernel == kernel && $0.isFinished }.compactMap { $0.epochs.last?.test[keyPath: measure] }
  }

  /// How much more accurate than standard a kernel is, over the seeds that both have finished.
  private func difference(_ kernel: String) -> PairedDifference {
    func bySeed(_ kernel: String) -> [Int: Double] {
      let finished = runs.filter { $0.kernel == kernel && $0.isFinished }
      return Dictionary(
        finished.compactMap { run in run.epochs.last?.testTop1.map { (run.seed, $0) } },
        uniquingKeysWith: { $1 })
    }
    let own = bySeed(kernel), standard = bySeed(specification.standard.item)
    let seeds = own.keys.filter { standard[$0] != nil }.sorted()
    return PairedDifference(seeds.compactMap { own[$0] }, minus: seeds.compactMap { standard[$0] })
  }

  /// The forward rows of the algorithm that is chosen by shape: one for each stage.
  private func firstAlgorithm(_ kernel: String) -> [OperatorRow] {
    let own = operators.filter { $0.kernel == kernel && $0.pass == .forward && $0.refusal == nil }
    return own.enumerated().filter { index, row in
      own.firstIndex { $0.problem == row.problem } == index
    }.map(\.element)
  }
}
