import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors
import Testing

/// The same seed gives the same bits, whatever the number of threads.
struct ReproducibilityTests {
  private func train(_ item: String, threads: Int, seed: UInt64) throws -> ([EpochResult], [Tensor]) {
    let registry = KernelRegistry.builtIn
    let network = try Network(
      Models.description("bottleneck20", inputChannels: 1, classes: 10), kernel: registry.choice(item),
      standard: registry.choice("standard"), seed: seed)
    var results: [EpochResult] = []
    try Training.train(
      network, on: Dataset.load("synthetic"), Recipe(epochs: 1, augments: true), seed: seed, threads: threads
    ) { results.append($0) }
    return (results, network.parameters.map(\.parameter.value))
  }

  @Test(arguments: ["standard", "deformable-v2", "adder"]) func threadsChangeNothing(_ item: String) throws {
    let (one, oneWeights) = try train(item, threads: 1, seed: 3)
    let (three, threeWeights) = try train(item, threads: 3, seed: 3)
    #expect(one.map(\.trainLoss) == three.map(\.trainLoss))
    #expect(oneWeights == threeWeights)
  }

  @Test func seedsChangeSomething() throws {
    #expect(try train("shift", threads: 1, seed: 1).1 != train("shift", threads: 1, seed: 2).1)
  }

  /// Trainings saved before the split could be chosen go on with the split that they had.
  @Test func savedTrainingsKeepTheirSplit() throws {
    let standard = try KernelRegistry.builtIn.choice("standard"), data = try Dataset.load("digits:split=1437")
    let trainer = try Trainer(
      Network(
        Models.description("resnet20", inputChannels: 1, classes: 10), kernel: standard, standard: standard,
        seed: 0), on: data, Recipe(epochs: 1), seed: 0, threads: 1)
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("split-\(UUID().uuidString).safetensors").path
    defer { unlink(path) }
    try Checkpoint.save(trainer, job: ["data": "digits"], to: path)
    try Checkpoint.restore(trainer, job: ["data": data.definition], from: path)
    let now = try Dataset.load("digits").definition
    let error = #expect(throws: WorkbenchError.self) {
      try Checkpoint.restore(trainer, job: ["data": now], from: path)
    }
    #expect(
      error?.description.contains(
        "with data digits:split=1437:validation=0, not digits:split=1415:validation=258;") == true)
  }

  /// Transforms round differently from sums, by about 1e-7 a layer; each step amplifies the difference some times,
  /// so that curves agree to rounding only at first: to 1e-4 over four steps.
  @Test func fftTrainsAsStandardDoes() throws {
    for (standard, fft) in zip(try steps("standard", 4), try steps("fft", 4)) {
      #expect(abs(standard.loss - fft.loss) < 1e-4 * standard.loss, "\(standard.loss) and \(fft.loss)")
    }
  }

  /// What makes trainings drift apart is rounding, wherever it comes from: for three steps outputs with `fft` differ from
  /// `standard`'s by rounding, as those of a `standard` whose first weights were changed in their last bit. Each step
  /// amplifies both, so that after sixteen both are as far from it as outputs are large. The factor of 10 allows for other roundings
  /// than those of the machine on which the ratio was 0.6 to 1.2.
  @Test func fftDriftsAsRoundingDoes() throws {
    let plain = try steps("standard", 16), fft = try steps("fft", 16)
    let nudged = try steps("standard", 16, isNudged: true)
    func distance(_ other: [(loss: Double, outputs: Tensor)], _ step: Int) -> Double {
      let own = plain[step].outputs.values, scale = own.map(abs).max() ?? 0
      return Double((zip(other[step].outputs.values, own).map { abs($0 - $1) }.max() ?? .nan) / scale)
    }
    for step in 0..<3 {
      let rounding = distance(nudged, step)
      #expect(rounding > 0 && rounding < 1e-4 && distance(fft, step) < 10 * rounding)
    }
    #expect(distance(nudged, 15) > 0.1 && distance(fft, 15) > 0.1)
  }

  /// The losses and outputs of the first steps.
  ///
  /// - Parameter isNudged: whether each weight is multiplied by a neighbour of 1 before, which changes its last bit or nothing.
  private func steps(_ item: String, _ count: Int, isNudged: Bool = false) throws -> [(
    loss: Double, outputs: Tensor
  )] {
    let registry = KernelRegistry.builtIn, data = try Dataset.load("digits")
    let network = try Network(
      Models.description("bottleneck20", inputChannels: 1, classes: 10), kernel: registry.choice(item),
      standard: registry.choice("standard"), seed: 0)
    if isNudged {
      var random = Random(seed: 1)
      for parameter in network.parameters.map(\.parameter) {
        parameter.value = Tensor(
          parameter.value.values.map { $0 * (1 + Float(random.below(2) == 0 ? 0x1p-23 : -0x1p-24)) },
          parameter.value.shape)
      }
    }
    let optimizer = SGD(network.parameters.map(\.parameter), .init(momentum: 0.9))
    let context = Context(training: true, threads: 2)
    return (0..<count).map { step in
      let (images, targets) = data.train.gather(Array(step * 32..<(step + 1) * 32))
      let outputs = network.forward(images, context)
      let result = targets.loss(outputs)
      _ = network.backward(result.gradient, context)
      optimizer.step(rate: 0.01)
      return (result.loss, outputs)
    }
  }
}
