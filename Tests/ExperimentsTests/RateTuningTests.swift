import Foundation
import Kernels
import Learning
import Tensors
import Testing

@testable import Experiments

/// `tune:` in sweeps: rates chosen by the validation split, before the seeds are trained.
@Suite struct RateTuningTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("tuning-\(UUID().uuidString)").path

  private static let text =
    "kernels: [shift]\nmodels: bottleneck20\ndata: synthetic\nseeds: 2\nlatency: false\nproxies: false\n"
    + "training: {epochs: 1, batch: 250}\n"

  private static func sweep(_ more: String) throws -> Sweep { try SweepTests.sweep(text + more) }

  private func rows(_ name: String) throws -> [[String: String]] {
    try CSVTable(file: "\(folder)/\(name).csv").rows
  }

  @Test func choosesForEachKernelThenTrainsItsSeeds() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // One rate that learns nothing, one that learns, one that diverges.
    let sweep = try Self.sweep("tune: {rates: [0.000001, 0.1, 1000]}\n")
    let plan = try SweepPlan(sweep, threads: 2)
    #expect(!plan.isComplete && plan.runs.count { $0.definition["kind"] == "tuning" } == 6)
    #expect(!plan.runs.contains { $0.definition["kind"] == "training" })
    let outcome = try SweepRunner(sweep, threads: 2).run(output: folder)
    #expect(outcome.now == 1 + 6 + 4 && outcome.left == 0 && outcome.warnings.isEmpty, "\(outcome.warnings)")
    let networks = try rows("networks"), tuning = try rows("tuning")
    #expect(networks.map { $0["rate"] } == ["0.1", "0.1"])
    #expect(networks.allSatisfy { $0["tuned"] == "1e-06 0.1 1000" && $0["seeds"] == "2" })
    #expect(
      tuning.count == 6 && tuning.filter { $0["chosen"] == "yes" }.map { $0["rate"] } == ["0.1", "0.1"])
    #expect(tuning.filter { $0["status"] == "failed" }.allSatisfy { $0["rate"] == "1000" })
    // What chooses does not look at the test split, and its seeds are none of the final ones.
    let records = try SweepRecords(folder).known.values
    for record in records where record.definition["kind"] == "tuning" {
      #expect(record.definition["seed"] == "1000000" && record.result.correct == nil)
      #expect(record.result.epochs?.allSatisfy { $0.test == nil } == true)
    }
    #expect(records.count { $0.definition["kind"] == "training" && $0.definition["rate"] == "0.1" } == 4)
    // Again nothing is done; a grid that shares rates uses their records.
    #expect(try SweepRunner(sweep, threads: 2).run(output: folder).now == 0)
    let listed = try SweepRunner(sweep, threads: 2).list(output: folder).text
    #expect(listed.contains("11 runs, of which 11 are done."))
    let wider = try SweepRunner(Self.sweep("tune: {rates: [0.1, 0.000001]}\n"), threads: 2)
    #expect(try wider.run(output: folder).now == 0)
  }

  @Test func whatIsBestIsChosen() {
    func result(_ top1: Double, _ loss: Double) -> TestResult {
      TestResult(top1: top1, mse: nil, mae: nil, isFinite: true, loss: loss)
    }
    typealias Score = RateTuning.Score
    let good = Score([result(90, 1), result(80, 3)]), failed = Score([result(99, 0), nil])
    #expect(good.value == 85 && good.loss == 2 && failed.value == -.infinity)
    #expect(RateTuning.best([(0.1, failed), (0.2, good)]) == 0.2)
    #expect(RateTuning.best([(0.1, Score([result(85, 2)])), (0.3, Score([result(85, 1)]))]) == 0.3)
    #expect(RateTuning.best([(0.3, good), (0.1, good)]) == 0.1)
    #expect(RateTuning.best([(0.3, failed), (0.1, failed)]) == 0.1)
    func error(_ mse: Double) -> TestResult { TestResult(top1: nil, mse: mse, mae: 1, isFinite: true) }
    #expect(RateTuning.best([(0.1, Score([error(2)])), (0.2, Score([error(1)]))]) == 0.2)
  }

  @Test func theUsualGridIsAroundTheRecipe() throws {
    #expect(RateTuning().grid(.standard(epochs: 1)) == [0.03, 0.1, 0.3])
    #expect(RateTuning().grid(.standard(epochs: 1, isRegression: true)) == [0.0009, 0.003, 0.009])
    var tuning = RateTuning()
    tuning.seeds = 2
    #expect(tuning.seeds(besides: [0, 1_000_000]) == [1_000_001, 1_000_002])
  }

  @Test(arguments: [
    ("tune: {rate: 1}\n", "a.yaml:8: unknown key ‘rate’"), ("tune: {rates: [-1]}\n", "a.yaml:8: rates is"),
    ("tune: maybe\n", "a.yaml:8: "),
  ]) func refusesWhatItDoesNotKnow(_ more: String, _ reason: String) {
    let error = #expect(throws: WorkbenchError.self) { try Self.sweep(more) }
    #expect(error?.description.hasPrefix(reason) == true, "\(error?.description ?? "")")
  }

  @Test func needsAValidationSplit() throws {
    let sweep = try SweepTests.sweep(
      "models: bottleneck20\ndata: synthetic:validation=0\ntraining: {epochs: 1}\ntune: true\n")
    let error = #expect(throws: WorkbenchError.self) { try SweepPlan(sweep, threads: 1) }
    #expect(error?.description.hasPrefix("a.yaml:2: ") == true, "\(error?.description ?? "")")
  }
}
