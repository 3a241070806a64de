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
    for (standard, fft) in zip(try losses("standard"), try losses("fft")) {
      #expect(abs(standard - fft) < 1e-4 * standard, "\(standard) and \(fft)")
    }
  }

  /// The losses of the first steps.
  private func losses(_ item: String) throws -> [Double] {
    let registry = KernelRegistry.builtIn, data = try Dataset.load("digits")
    let network = try Network(
      Models.description("bottleneck20", inputChannels: 1, classes: 10), kernel: registry.choice(item),
      standard: registry.choice("standard"), seed: 0)
    let optimizer = SGD(network.parameters.map(\.parameter), .init(momentum: 0.9))
    let context = Context(training: true, threads: 2)
    return (0..<4).map { step in
      let (images, targets) = data.train.gather(Array(step * 32..<(step + 1) * 32))
      let result = targets.loss(network.forward(images, context))
      _ = network.backward(result.gradient, context)
      optimizer.step(rate: 0.01)
      return result.loss
    }
  }
}
