import Foundation
import Kernels
import Learning
import Tensors

/// How each kernel's learning rate is chosen before its seeds are trained: the same rates for all, trained equally
/// often and long, and compared on the validation split. The test split is not used.
package struct RateTuning: Settable {
  var rates: [Double]?
  var seeds = 1
  var epochs: Int?

  package init() {}

  static let rates = Setting(
    "rates", \Self.rates, .numbers(0...1000),
    "The rates to choose from (default: 0.3, 1 and 3 times the recipe's)")
  static let seeds = Setting("seeds", \Self.seeds, .whole(1...1000), "Trainings of each rate")
  static let epochs = Setting(
    "epochs", \Self.epochs, .whole(1...1_000_000), "Passes over the training data (default: the recipe's)")
  static let all = [rates, seeds, epochs]

  /// The grid for a recipe, from the lowest rate to the highest.
  package func grid(_ recipe: Recipe) -> [Double] {
    let usual = [0.3, 1, 3].map { factor in
      // Products of decimal numbers are not quite what they are called.
      Double(String(format: "%.6g", factor * recipe.schedule.rate)) ?? recipe.schedule.rate
    }
    return Set(rates ?? usual).sorted()
  }

  /// The recipe of a tuning run.
  package func recipe(_ recipe: Recipe, rate: Double) -> Recipe {
    var result = recipe
    result.schedule.rate = rate
    result.epochs = epochs ?? recipe.epochs
    return result
  }

  /// Seeds that are not among the final ones.
  package func seeds(besides final: [Int]) -> [Int] {
    Array((1_000_000...).lazy.filter { !final.contains($0) }.prefix(seeds))
  }

  /// Refuses data by which nothing can be chosen.
  package static func check(_ data: Dataset) throws {
    guard data.validation != nil else {
      throw WorkbenchError(
        "The data \(data.name) have no validation split, on which rates are chosen; leave out tuning, or give them one (docs/data.md)."
      )
    }
  }

  /// The score of a rate.
  package struct Score: Hashable, Sendable {
    /// The mean over trainings of their best epoch's validation accuracy, in percent, or of its mean squared error with a
    /// minus; −∞ if one failed.
    package var value: Double
    /// The mean of its losses; 0 in a regression.
    package var loss: Double

    /// The score of some trainings; nil for one that failed.
    package init(_ best: [TestResult?]) {
      let results = best.compactMap { $0 }
      guard !results.isEmpty, results.count == best.count else {
        (value, loss) = (-.infinity, .infinity)
        return
      }
      value = Statistics.mean(results.map { $0.top1 ?? -($0.mse ?? .infinity) })
      loss = Statistics.mean(results.map { $0.loss ?? 0 })
    }
  }

  /// The rate with the highest score; of several the one with the lowest loss, then the lowest rate.
  package static func best(_ scores: [(rate: Double, score: Score)]) -> Double? {
    scores.min { first, second in
      if first.score.value != second.score.value { return first.score.value > second.score.value }
      if first.score.loss != second.score.loss { return first.score.loss < second.score.loss }
      return first.rate < second.rate
    }?.rate
  }
}

extension SweepPlan {
  /// How one kernel's rate is chosen.
  struct Tuning: Sendable {
    let kernel: String
    /// The rates, with the runs of each.
    let candidates: [(rate: Double, runs: [Run])]
    /// Their scores, where all runs have records; empty before.
    let scores: [RateTuning.Score]
    /// The rate that won; nil before all runs have records.
    let chosen: Double?

    /// The rates that there were to choose from, as a cell.
    var text: String { candidates.map { Cell.number($0.rate) }.joined(separator: " ") }
  }

  /// The tuning of a kernel.
  ///
  /// - Parameters:
  ///   - shared: what defines runs of the model on the data.
  ///   - network: the run that measures the model.
  static func tuning(
    _ tune: RateTuning, _ specification: Specification, _ choice: KernelChoice, finalSeeds: [Int],
    _ shared: [String: String], place: String, network: String, _ records: [String: SweepRecord]
  ) throws -> Tuning {
    let candidates = try tune.grid(specification.recipe).map { rate in
      var own = specification
      own.recipe = tune.recipe(specification.recipe, rate: rate)
      own.looksAtTest = false
      let runs = try tune.seeds(besides: finalSeeds).map { [own] seed in
        let definition = shared.merging(own.recipe.definition) { $1 }
          .merging(["kind": "tuning", "kernel": choice.item, "seed": "\(seed)"]) { $1 }
        return Run(
          definition: definition, name: try SweepRecord.name(definition),
          label: "\(choice.item), rate \(Cell.number(rate)), seed \(seed): \(place)",
          kernels: [choice.item], work: .training(own, choice, seed: seed, network: network))
      }
      return (rate: rate, runs: runs)
    }
    let isRefused =
      records[network]?.result.networks?.contains { $0.kernel == choice.item && $0.refusal != nil } ?? false
    let known = candidates.map { candidate in candidate.runs.compactMap { records[$0.name] } }
    guard !isRefused, zip(known, candidates).allSatisfy({ $0.count == $1.runs.count }) else {
      return Tuning(
        kernel: choice.item, candidates: candidates, scores: [],
        chosen: isRefused ? specification.recipe.schedule.rate : nil)
    }
    let scores = known.map { RateTuning.Score($0.map(\.bestValidation)) }
    return Tuning(
      kernel: choice.item, candidates: candidates, scores: scores,
      chosen: RateTuning.best(zip(candidates, scores).map { ($0.rate, $1) }))
  }
}

extension SweepRecord {
  /// A training's best epoch on the validation split; nil if it failed.
  var bestValidation: TestResult? {
    guard result.failure == nil else { return nil }
    return (result.epochs ?? []).compactMap(\.validation).best
  }
}

extension CSVTable {
  /// tuning.csv: a row for each kernel × rate.
  init(tunings: [SweepPlan.Tuning], _ specification: Specification) {
    typealias Row = (tuning: SweepPlan.Tuning, index: Int)
    let rows = tunings.flatMap { tuning in tuning.scores.indices.map { (tuning, $0) } }
    func score(_ row: Row) -> RateTuning.Score { row.tuning.scores[row.index] }
    let isRegression = specification.data.isRegression
    self.init(
      rows,
      [
        Column("kernel") { $0.tuning.kernel }, Column("model") { _ in specification.model.name },
        Column("replace") { _ in specification.model.replacement.rawValue },
        Column("data") { _ in specification.data.name },
        Column("rate") { Cell.number($0.tuning.candidates[$0.index].rate) },
        Column("seeds") { $0.tuning.candidates[$0.index].runs.count },
        Column("validation_top1") { isRegression ? nil : Cell.fixed(score($0).value, decimals: 3) },
        Column("validation_loss") { isRegression ? nil : Cell.number(score($0).loss, digits: 6) },
        Column("validation_mse") { isRegression ? Cell.number(-score($0).value, digits: 9) : nil },
        Column("status") { score($0).value.isFinite ? "ok" : "failed" },
        Column("chosen") { $0.tuning.candidates[$0.index].rate == $0.tuning.chosen ? "yes" : "no" },
      ] as [Column<Row>])
  }
}
