import Foundation
import Kernels
import Layers
import Learning
import Networks
import TestSupport
import Testing

/// Fifty steps of ResNet-20 on the digits against PyTorch's (experiments/peers/make_network_fixtures.py).
struct CurveTests {
  struct Facts: Decodable {
    let losses, spread: [Double]
  }

  /// Training amplifies rounding. The fixture knows by how much PyTorch's losses change where the initial weights are
  /// perturbed by their rounding in single precision; five times the largest change up to a step is allowed, since
  /// every pass rounds anew.
  @Test func lossesFollowPyTorchs() throws {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/curve", withExtension: "json"))
    let facts = try JSONDecoder().decode(Facts.self, from: Data(contentsOf: url))
    let standard = try KernelRegistry.builtIn.choice("standard")
    let network = try Network(
      Models.description("resnet20", inputChannels: 1, classes: 10), kernel: standard, standard: standard,
      seed: 0)
    fill(network)
    let recipe = Recipe(
      epochs: 2, batch: 32, schedule: Schedule(rate: 0.01, rule: .constant),
      optimizer: .sgd(.init(momentum: 0.9, weightDecay: 1e-4)), shuffles: false)
    let trainer = try Trainer(network, on: Dataset.load("digits:split=1437"), recipe, seed: 0, threads: 2)
    #expect(facts.losses.count == 50)
    var largest = 0.0
    for (theirs, spread) in zip(facts.losses, facts.spread) {
      largest = max(largest, spread)
      let loss = try trainer.step().loss
      #expect(abs(loss - theirs) <= 5 * largest, "step \(trainer.steps)")
    }
  }
}
