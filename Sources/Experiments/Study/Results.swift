import Foundation
import Learning
import Networks
import Tensors

/// The tables of a run, made from its studies.
package struct Results {
  private let specification: Specification
  private let networks: [NetworkRow]
  private let tunings: [SweepPlan.Tuning]
  private let match: Budget?
  private let runs: [TrainedRun]
  private let terms: VerdictTerms

  init(
    _ specification: Specification, networks: [NetworkRow], tunings: [SweepPlan.Tuning] = [],
    match: Budget? = nil, runs: [TrainedRun], _ terms: VerdictTerms = VerdictTerms()
  ) {
    self.tunings = tunings
    self.match = match
    self.terms = terms
    self.specification = specification
    self.networks = networks
    self.runs = runs
  }

  /// networks.csv: one row per kernel whose training is finished or that refused.
  package var networkTable: CSVTable {
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
    let proxies = Proxy.standard.map { proxy in
      measured(proxy.rawValue) { $0.proxies.values[proxy].map { Cell.number($0, digits: 7) } }
    }
    let accuracies = NetworkAccuracies(
      runs, of: networks.filter { $0.refusal == nil }.map(\.kernel), standard: specification.standard.item,
      images: specification.data.test.count, terms)
    func fixed(_ name: String, _ value: @escaping (NetworkAccuracies.Row) -> Double?) -> Column {
      measured(name) { accuracies.rows[$0.kernel].map { Cell.fixed(value($0), decimals: 3) } }
    }
    let accuracy =
      [
        fixed("top1_mean") { $0.accuracy.mean }, fixed("top1_ci95") { $0.accuracy.interval?.halfWidth },
      ]
      + (isRegression ? mean("test_mse", \.mse, 9) + mean("test_mae", \.mae, 9) : [])
    let training = [
      Column("seeds") { runs(of: $0).filter(\.isFinished).count },
      Column("epochs") { _ in specification.recipe.epochs },
      measured("train_seconds") { row in
        Cell.fixed(runs(of: row).reduce(0) { $0 + $1.seconds }, decimals: 2)
      },
      Column("status") { $0.refusal != nil ? "refused" : failure(of: $0) != nil ? "failed" : "ok" },
      Column("reason") { $0.refusal ?? failure(of: $0) },
      fixed("top1_difference") { $0.difference?.mean },
      fixed("top1_difference_ci95") { $0.difference?.interval?.halfWidth },
    ]
    let models = [
      measured("energy_uj") { Cell.number(energy.arithmetic($0.cost)) },
      measured("energy_dram_uj") { Cell.number(energy.memory($0.cost)) },
      measured("proxies_missing") { $0.proxies.note },
    ]
    let verdicts = [
      fixed("top1_low95") { $0.accuracy.interval?.lowerBound },
      fixed("top1_high95") { $0.accuracy.interval?.upperBound },
      fixed("top1_difference_low95") { $0.difference?.interval?.lowerBound },
      fixed("top1_difference_high95") { $0.difference?.interval?.upperBound },
      measured("p_holm") { Cell.number(accuracies.rows[$0.kernel]?.probability, digits: 3) },
      measured("verdict") { accuracies.rows[$0.kernel]?.verdict?.rawValue },
      Column("test_images") { _ in specification.data.test.count },
      measured("top1_images") { accuracies.rows[$0.kernel]?.imagesNote }, measured("remark") { $0.remark },
      fixed("p_better") { $0.difference?.superiority?.mean },
      fixed("p_better_low95") { $0.difference?.superiority?.interval.lowerBound },
      fixed("p_better_high95") { $0.difference?.superiority?.interval.upperBound },
      measured("margin") { accuracies.rows[$0.kernel]?.verdict == nil ? nil : Cell.number(terms.margin) },
      measured("looks") { accuracies.rows[$0.kernel]?.verdict == nil ? nil : terms.looks },
    ]
    let choices =
      (isRegression
        ? [] : mean("test_loss", \.loss, 5).prefix(1) + mean("ece", \.calibrationError, 5).prefix(1)) + [
        measured("best_epoch_mean") { row in
          let epochs = runs(of: row).filter(\.isFinished).compactMap { run in
            run.chosen.flatMap { $0.validation == nil ? nil : Double($0.epoch) }
          }
          return epochs.isEmpty ? nil : Cell.fixed(Statistics.mean(epochs), decimals: 2)
        }, Column("validation_images") { _ in specification.data.validation?.count ?? 0 },
        measured("rate") { row in rate(of: row).map { Cell.number($0) } },
        measured("tuned") { row in tunings.first { $0.kernel == row.kernel }?.text },
        measured("width") { row in
          Cell.number(matched(row)?.width ?? specification.model.residual?.widthFactor)
        },
        measured("match") { _ in match?.rawValue },
        measured("match_reached") { row in Cell.number(matched(row)?.reached, digits: 4) },
      ]
    let finished = networks.filter { row in
      runs(of: row).allSatisfy { $0.isFinished || $0.failure != nil }
    }
    let places = Column.places { row in
      ([row.place] + runs(of: row).map(\.place)).compactMap { $0 }
    }
    return CSVTable(
      finished, counts + speed + proxies + accuracy + training + models + verdicts + choices + places)
  }

  /// training.csv: one row per kernel × seed × epoch.
  package var trainingTable: CSVTable {
    typealias Column = Experiments.Column<(run: TrainedRun, epoch: EpochResult)>
    typealias OfEpoch = Experiments.Column<EpochResult>
    func columns(_ columns: [OfEpoch]) -> [Column] { columns.map { $0.of { $0.epoch } } }
    let first: [Column] = [
      Column("kernel") { $0.run.kernel }, Column("model") { _ in specification.model.name },
      Column("data") { _ in specification.data.name }, Column("seed") { $0.run.seed },
    ]
    let all =
      first + columns(OfEpoch.epochs) + [Column("replace") { _ in specification.model.replacement.rawValue }]
      + columns(OfEpoch.splits(isRegression: isRegression))
      + Column.places { [$0.run.place].compactMap { $0 } }
    return CSVTable(runs.flatMap { run in run.epochs.map { (run, $0) } }, all)
  }

  /// How many networks have a verdict, and one that says nothing.
  var openVerdicts: Int { networkTable.rows.count { $0["verdict"] == Verdict.open.rawValue } }

  /// What was refused or failed.
  package struct Problem: Sendable {
    /// The model, and the item of the kernel.
    package let model, kernel: String
    /// What and why.
    package let sentence: String
  }

  /// What was refused or failed.
  var problems: [Problem] {
    let found =
      networks.compactMap { row in row.refusal.map { (row.kernel, "\(row.kernel) was refused: \($0)") } }
      + runs.compactMap { run in
        run.failure.map { (run.kernel, "\(run.kernel), seed \(run.seed): \($0)") }
      }
    return found.map { Problem(model: specification.model.name, kernel: $0, sentence: $1) }
  }

  private var isRegression: Bool { specification.data.isRegression }

  /// The trainings of a kernel.
  private func runs(of row: NetworkRow) -> [TrainedRun] { runs.filter { $0.kernel == row.kernel } }

  /// The highest rate of a kernel's trainings; nil if there are none, or it is still to be chosen.
  private func rate(of row: NetworkRow) -> Double? {
    guard specification.recipe.epochs > 0 else { return nil }
    guard let tuning = tunings.first(where: { $0.kernel == row.kernel }) else {
      return specification.recipe.schedule.rate
    }
    return tuning.chosen
  }

  private func matched(_ row: NetworkRow) -> MatchedModel? { specification.matched[row.kernel] }

  /// Why a training of a kernel failed, if one did.
  private func failure(of row: NetworkRow) -> String? { runs(of: row).compactMap(\.failure).first }

  /// A measure at the end of the finished runs of a kernel.
  private func results(_ kernel: String, _ measure: KeyPath<TestResult, Double?>) -> [Double] {
    runs.filter { $0.kernel == kernel && $0.isFinished }.compactMap { $0.chosen?.test?[keyPath: measure] }
  }
}
