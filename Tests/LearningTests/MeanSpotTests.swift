import Foundation
import Kernels
import Layers
import Networks
import TestSupport
import Tensors
import Testing

@testable import Learning

/// MEAN_Spot as its source describes it, one training step with its penalties included, against PyTorch
/// (experiments/peers/make_mean_spot_fixture.py).
struct MeanSpotTests {
  struct Facts: Decodable, Sendable {
    struct Summary: Decodable, Sendable {
      let norm: Double
      let samples: [Double]
    }
    struct Errors: Decodable, Sendable { let mse, mae: Double }
    let parameters: Int
    let shapes: [String: [Int]]
    let logits: [Double]
    let loss: Double
    let gradients, state: [String: Summary]
    let test: Errors
  }

  static let models = ["mean_spot", "mean_spot_cbam"]

  private func facts(_ model: String) throws -> Facts {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/mean_spot", withExtension: "json"))
    let all = try JSONDecoder().decode([String: Facts].self, from: Data(contentsOf: url))
    return try #require(all[model])
  }

  private func network(_ model: String) throws -> Network {
    let standard = try KernelRegistry.builtIn.choice("standard")
    let network = try Network(
      Models.description(model, inputChannels: 3, classes: 1), kernel: standard, standard: standard, seed: 0)
    fill(network)
    return network
  }

  private func data() throws -> Dataset {
    func split(_ name: String, _ count: Int) throws -> Examples {
      var images = Random(seed: 0).split(name), targets = Random(seed: 0).split("\(name) targets")
      return try Examples(
        images: Tensor(uniform: [count, 3, 42, 42], in: -1..<1, using: &images).fromFileOrder(.features),
        values: Tensor(uniform: [count], in: 100..<900, using: &targets).values, source: name)
    }
    return try Dataset(name: "test", classes: 1, train: split("train", 8), test: split("test", 4))
  }

  @Test(arguments: models) func partsAreTheSources(_ model: String) throws {
    let facts = try facts(model), network = try network(model), input = Models.input(model)
    #expect(network.parameterCount == facts.parameters)
    #expect(facts.parameters == (model == "mean_spot" ? 3593 : 3593 + 130))
    let rows = try network.summaries(for: input)
    for (name, shape) in facts.shapes {
      let output = try #require(rows.first { $0.name == name }?.output, "\(name)")
      #expect([output.channels, output.height, output.width] == shape, "\(name)")
    }
  }

  /// The joint convolution's weights have 0.1, the branches' 0.001, nothing else has a penalty; whatever kernel stands
  /// in the joint convolution's place takes over its penalty, but not for biases, positions or attention.
  @Test func penaltiesAreTheSources() throws {
    func penalties(_ item: String) throws -> [String: Double] {
      let registry = KernelRegistry.builtIn
      let network = try Network(
        Models.description("mean_spot_cbam", inputChannels: 3, classes: 1), kernel: registry.choice(item),
        standard: registry.choice("standard"), seed: 0)
      let penalized = network.parameters.filter { $0.parameter.penalty != 0 }
      return Dictionary(uniqueKeysWithValues: penalized.map { ($0.name, $0.parameter.penalty) })
    }
    let branches = ["branch1.conv.weight": 0.001, "branch2.conv.weight": 0.001, "branch3.conv.weight": 0.001]
    #expect(try penalties("standard") == branches.merging(["conv.weight": 0.1]) { $1 })
    #expect(try penalties("deformable") == branches.merging(["conv.weight": 0.1]) { $1 })
    #expect(try penalties("squeeze-excite") == branches.merging(["conv.kernel.weight": 0.1]) { $1 })
    #expect(
      try penalties("asymmetric:bias=yes")
        == branches.merging(["conv.column.weight": 0.1, "conv.row.weight": 0.1]) { $1 })
  }

  /// Facts are in double precision; sums here have at most 392 terms and pass four layers. Of gradients, a thousandth of
  /// each array's size covers the batch statistics of single precision and the few ReLUs and maxima that rounding
  /// decides; a hundredth of them is in the step. Without the joint convolution's penalty its weights would be off by
  /// 2e-3 of themselves after the step, without weight decay by 1e-2.
  @Test(arguments: models) func oneStepIsPyTorchs(_ model: String) throws {
    let facts = try facts(model), network = try network(model), data = try data()
    let logits = network.forward(data.train.images, Context(training: false, threads: 2)).values
    let largest = facts.logits.map(abs).max() ?? 0
    #expect(logits.count == facts.logits.count)
    for (own, theirs) in zip(logits, facts.logits) { #expect(abs(Double(own) - theirs) <= 1e-5 * largest) }

    let recipe = Recipe(
      epochs: 1, batch: 8, schedule: Schedule(rate: 0.01, rule: .constant),
      optimizer: .sgd(.init(weightDecay: 1)), shuffles: false, standardizesTargets: true)
    let trainer = Trainer(network, on: data, recipe, seed: 0, threads: 2)
    let step = try trainer.step()
    #expect(abs(step.loss - facts.loss) <= 1e-5 * facts.loss)
    #expect(Set(network.parameters.map(\.name)) == Set(facts.gradients.keys))
    for named in network.parameters {
      try compare(
        named.name, #require(named.parameter.gradient).toFileOrder(named.parameter.layout), facts.gradients,
        within: 1e-3)
    }
    #expect(Set(network.state.map(\.name)) == Set(facts.state.keys))
    for named in network.state {
      try compare(
        named.name, named.parameter.value.toFileOrder(named.parameter.layout), facts.state, within: 1e-4)
    }
    #expect(step.epochResult != nil)
    let test = try trainer.finish().test
    #expect(abs(try #require(test.mse) - facts.test.mse) <= 1e-3 * facts.test.mse)
    #expect(abs(try #require(test.mae) - facts.test.mae) <= 1e-3 * facts.test.mae)
  }

  private func compare(
    _ name: String, _ found: Tensor, _ facts: [String: Facts.Summary], within tolerance: Double
  ) throws {
    let theirs = try #require(facts[name]), own = found.values.map(Double.init)
    let norm = own.reduce(0) { $0 + $1 * $1 }.squareRoot()
    #expect(abs(norm - theirs.norm) <= tolerance * theirs.norm, "\(name)")
    // An element's share of the norm, were all equally large.
    let typical = theirs.norm / Double(own.count).squareRoot()
    for (index, sample) in theirs.samples.enumerated() {
      #expect(
        abs(own[own.count * index / 7] - sample) <= tolerance * max(abs(sample), typical), "\(name) \(index)")
    }
  }

  /// Without a word, a model with penalties has no weight decay beside them; others have the main job's.
  @Test func penaltiesReplaceWeightDecay() throws {
    for (model, decay) in [("mean_spot", 0), ("resnet20", 2e-3)] {
      let description = try Models.description(model, inputChannels: 3, classes: 1)
      for isRegression in [false, true] {
        let recipe = Recipe.standard(
          epochs: 1, isRegression: isRegression, hasPenalties: description.hasPenalties)
        switch recipe.optimizer {
        case .sgd(let options): #expect(options.weightDecay == decay && !isRegression)
        case .adam(let options): #expect(options.weightDecay == decay && isRegression)
        }
      }
    }
  }
}
