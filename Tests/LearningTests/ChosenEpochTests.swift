import Foundation
import Kernels
import Layers
import Networks
import Tensors
import Testing

@testable import Learning

/// The epoch that a training ends with: chosen by the validation split, tested once.
@Suite struct ChosenEpochTests {
  private static func network(seed: UInt64 = 0) throws -> Network {
    let standard = try KernelRegistry.builtIn.choice("standard")
    return try Network(
      Models.description("resnet20", inputChannels: 1, classes: 4), kernel: standard, standard: standard,
      seed: seed)
  }

  /// Noise with labels that cannot be learnt, so that the best epoch is not the last one.
  private static func data(validation: Bool = true) throws -> Dataset {
    func split(_ name: String, _ count: Int) throws -> Examples {
      var random = Random(seed: 3).split(name)
      return try Examples(
        images: Tensor(normal: [count, 6, 6, 1], using: &random),
        labels: (0..<count).map { _ in random.below(4) }, classes: 4, source: name)
    }
    return try Dataset(
      name: "noise", classes: 4, train: split("train", 64),
      validation: validation ? split("validation", 40) : nil, test: split("test", 40))
  }

  private static let recipe = Recipe(epochs: 7, batch: 16, schedule: Schedule(rate: 0.1, rule: .constant))

  @Test func isTheBestByValidation() throws {
    let data = try Self.data(), network = try Self.network()
    var epochs: [EpochResult] = []
    let chosen = try Training.train(network, on: data, Self.recipe, seed: 1, threads: 2) { epochs.append($0) }
    #expect(epochs.count == 7 && epochs.allSatisfy { $0.test == nil && $0.validation != nil })
    let best = try #require(
      epochs.max { first, second in
        let (a, b) = (first.validation!, second.validation!)
        return a.top1! != b.top1! ? a.top1! < b.top1! : a.loss! > b.loss!
      })
    #expect(chosen.epoch == best.epoch && chosen.epoch < 7, "otherwise this test sees nothing")
    // The network has that epoch's weights: a training that ends there has the same.
    var shorter = Self.recipe
    shorter.epochs = chosen.epoch
    let other = try Self.network()
    let same = try Training.train(other, on: data, shorter, seed: 1, threads: 1) { _ in }
    #expect(same == chosen)
    #expect(other.state.map(\.parameter.value) == network.state.map(\.parameter.value))
    #expect(Training.evaluate(network, data.test, batch: 16, threads: 1) == chosen.test)
  }

  @Test func isTheLastWithoutValidation() throws {
    let chosen = try Training.train(
      Self.network(), on: Self.data(validation: false), Self.recipe, seed: 1, threads: 2
    ) { #expect($0.validation == nil && $0.test == nil) }
    #expect(chosen.epoch == 7)
  }

  @Test func accuracyComesBeforeLossAndLossBeforeTime() {
    func result(_ top1: Double, _ loss: Double) -> TestResult {
      TestResult(top1: top1, mse: nil, mae: nil, isFinite: true, loss: loss)
    }
    #expect(result(51, 2).isBetter(than: result(50, 1)) && !result(50, 1).isBetter(than: result(51, 2)))
    #expect(result(50, 1).isBetter(than: result(50, 2)) && !result(50, 1).isBetter(than: result(50, 1)))
    func regression(_ mse: Double) -> TestResult { TestResult(top1: nil, mse: mse, mae: 9, isFinite: true) }
    #expect(regression(1).isBetter(than: regression(2)) && !regression(2).isBetter(than: regression(2)))
  }

  @Test func patienceEndsATraining() throws {
    var recipe = Self.recipe
    recipe.epochs = 50
    recipe.patience = 2
    var epochs: [EpochResult] = []
    let chosen = try Training.train(Self.network(), on: Self.data(), recipe, seed: 1, threads: 2) {
      epochs.append($0)
    }
    #expect(epochs.count == chosen.epoch + 2)
    #expect(throws: WorkbenchError.self) { try Self.data(validation: false).check(fits: recipe) }
    try Self.data().check(fits: recipe)
    // Names of trainings without it are what they were.
    #expect(recipe.definition["patience"] == "2" && Self.recipe.definition["patience"] == nil)
    #expect(recipe.savedDefinition["patience"] == "2" && Self.recipe.savedDefinition["patience"] == nil)
  }

  /// Stopped at any step, within an epoch or between two, and resumed by another trainer: the same bits at the end.
  @Test(arguments: [1, 4, 15, 22, 28]) func resumesBitForBit(_ steps: Int) throws {
    let data = try Self.data(), path = FileManager.default.temporaryDirectory
      .appendingPathComponent("best-\(UUID().uuidString).safetensors").path
    defer { unlink(path) }
    func run(_ trainer: Trainer) throws -> (ChosenEpoch, [Tensor]) {
      while !trainer.isFinished { _ = try trainer.step() }
      return (try trainer.finish(), trainer.network.state.map(\.parameter.value))
    }
    let whole = try run(Trainer(Self.network(), on: data, Self.recipe, seed: 1, threads: 2))
    let first = Trainer(try Self.network(), on: data, Self.recipe, seed: 1, threads: 2)
    for _ in 0..<steps { _ = try first.step() }
    try Checkpoint.save(first, job: ["a": "b"], to: path)
    // What is written of the best epoch so far does not disturb the training.
    let present = first.network.state.map(\.parameter.value)
    first.withBestWeights {}
    #expect(present == first.network.state.map(\.parameter.value))
    let second = Trainer(try Self.network(seed: 9), on: data, Self.recipe, seed: 1, threads: 1)
    try Checkpoint.restore(second, job: ["a": "b"], from: path)
    let resumed = try run(second)
    #expect(resumed.0 == whole.0 && resumed.1 == whole.1)
    // Without the best weights it is no training of these data.
    if steps > 4 {
      let other = Trainer(try Self.network(), on: try Self.data(validation: false), Self.recipe, seed: 1, threads: 1)
      #expect(throws: WorkbenchError.self) { try Checkpoint.restore(other, job: ["a": "b"], from: path) }
    }
  }
}
