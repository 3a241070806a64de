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
    var table = CSVTable(
      columns: [
        "kernel", "model", "replace", "data", "params", "macs", "adds", "other_ops", "latency_ms_median",
        "latency_ms_mad", "speedup_vs_standard",
      ] + Proxy.allCases.map(\.rawValue) + ["top1_mean", "top1_ci95"]
        + (isRegression ? ["test_mse_mean", "test_mse_ci95", "test_mae_mean", "test_mae_ci95"] : []) + [
          "seeds", "epochs", "train_seconds", "status", "reason", "top1_difference", "top1_difference_ci95",
          "energy_uj", "energy_dram_uj", "proxies_missing",
        ])
    let energy = EnergyModel()
    for row in networks {
      let own = runs.filter { $0.kernel == row.kernel }
      let failure = own.compactMap(\.failure).first
      guard own.allSatisfy({ $0.isFinished || $0.failure != nil }) else { continue }
      var cells = [
        "kernel": row.kernel, "model": specification.model.name,
        "replace": specification.model.replacement.rawValue,
        "data": specification.data.name, "seeds": "\(own.filter(\.isFinished).count)",
        "epochs": "\(specification.recipe.epochs)",
        "status": row.refusal != nil ? "refused" : failure != nil ? "failed" : "ok",
        "reason": row.refusal ?? failure ?? "",
      ]
      if row.refusal == nil {
        let difference = difference(row.kernel)
        cells.merge(row.proxies.cells) { $1 }
        let measures =
          isRegression ? [("test_mse", \TestResult.mse, 9), ("test_mae", \.mae, 9)] : [("top1", \.top1, 3)]
        for (name, measure, decimals) in measures {
          let values = results(row.kernel, measure)
          cells[name + "_mean"] = Cell.fixed(Statistics.mean(values), decimals: decimals)
          cells[name + "_ci95"] = Cell.fixed(Statistics.confidence95(values), decimals: decimals)
        }
        cells.merge([
          "top1_difference": Cell.fixed(difference.mean, decimals: 3),
          "top1_difference_ci95": Cell.fixed(difference.confidence95, decimals: 3),
          "energy_uj": Cell.number(energy.arithmetic(row.cost)),
          "energy_dram_uj": Cell.number(energy.memory(row.cost)), "proxies_missing": row.proxies.note,
          "params": "\(row.cost.parameters)", "macs": "\(row.cost.macs)", "adds": "\(row.cost.adds)",
          "other_ops": "\(row.cost.otherOps)",
          "latency_ms_median": Cell.number(Statistics.median(row.milliseconds)),
          "latency_ms_mad": Cell.number(Statistics.medianAbsoluteDeviation(row.milliseconds)),
          "speedup_vs_standard": Cell.number(row.speedup, digits: 4),
          "train_seconds": Cell.fixed(own.reduce(0) { $0 + $1.seconds }, decimals: 2),
        ]) { $1 }
      }
      table.append(cells)
    }
    return table
  }

  /// training.csv: one row per kernel × seed × epoch.
  public var trainingTable: CSVTable {
    var table = CSVTable(
      columns: [
        "kernel", "model", "data", "seed", "epoch", "rate", "train_loss", "train_top1", "test_top1",
        "seconds",
        "replace",
      ] + (isRegression ? ["test_mse", "test_mae"] : []))
    for run in runs {
      for epoch in run.epochs {
        var cells = [
          "kernel": run.kernel, "model": specification.model.name, "data": specification.data.name,
          "seed": "\(run.seed)", "epoch": "\(epoch.epoch)", "rate": Cell.number(epoch.rate),
          "train_loss": Cell.number(epoch.trainLoss, digits: 9),
          "train_top1": Cell.fixed(epoch.trainTop1, decimals: 3),
          "test_top1": Cell.fixed(epoch.testTop1, decimals: 3),
          "seconds": Cell.fixed(epoch.seconds, decimals: 3),
          "replace": specification.model.replacement.rawValue,
        ]
        if isRegression {
          cells["test_mse"] = Cell.number(epoch.test.mse, digits: 9)
          cells["test_mae"] = Cell.number(epoch.test.mae, digits: 9)
        }
        table.append(cells)
      }
    }
    return table
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
      let time = stages.reduce(0) { $0 + Statistics.median($1.milliseconds) }
      let speedup = exp(Statistics.mean(stages.map { log($0.speedup) }))
      let error = operators.filter { $0.kernel == row.kernel }.compactMap(\.maxRelativeError).max()
      let measures: [(KeyPath<TestResult, Double?>, Int)] =
        isRegression ? [(\.mse, 5), (\.mae, 4)] : [(\.top1, 1)]
      let cells = [
        row.kernel, Cell.grouped(row.cost.parameters), Cell.grouped(row.cost.macs),
        Cell.grouped(row.cost.adds),
        Cell.grouped(row.cost.otherOps), Cell.fixed(time, decimals: 2), Cell.fixed(speedup, decimals: 2),
        Cell.number(error, digits: 1), Cell.fixed(Statistics.median(row.milliseconds), decimals: 2),
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
