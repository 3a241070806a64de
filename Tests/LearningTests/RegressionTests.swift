import Foundation
import Kernels
import Layers
import Networks
import Tensors
import Testing

@testable import Learning

/// Values in place of classes: data, loss and training.
struct RegressionTests {
  private func network(_ model: String, seed: UInt64 = 0) throws -> Network {
    let standard = try KernelRegistry.builtIn.choice("standard")
    return try Network(
      Models.description(model, inputChannels: 3, classes: 1), kernel: standard, standard: standard,
      seed: seed)
  }

  @Test func spotsAreTheSameOnEveryCall() throws {
    let spots = try Dataset.load("spots"), again = try Dataset.load("spots")
    #expect(spots.isRegression && spots.classes == 1 && spots.train.labels.isEmpty)
    #expect(spots.train.images.shape == [2000, 42, 42, 3] && spots.test.images.shape == [500, 42, 42, 3])
    #expect(spots.train.images == again.train.images && spots.train.targets == again.train.targets)
    guard case .values(let values) = spots.train.targets else { return #expect(Bool(false)) }
    #expect(values.count == 2000 && values.allSatisfy { (-1...1).contains($0) })
  }

  /// The brightest column of a spot without much noise is where the target says it is, on average over three images.
  @Test func targetsAreTheSpotsPlaces() throws {
    let spots = try Dataset.load("spots").test
    guard case .values(let targets) = spots.targets else { return #expect(Bool(false)) }
    for example in 0..<20 {
      var sum = 0.0
      for channel in 0..<3 {
        let columns = (0..<42).map { column in
          (0..<42).reduce(Float(0)) { $0 + spots.images[((example * 42 + $1) * 42 + column) * 3 + channel] }
        }
        let brightest = columns.indices.max { columns[$0] < columns[$1] } ?? 0
        sum += (Double(brightest) - 20.5) / 15.5
      }
      // Noise moves the brightest column of a spot, which is 2 to 4 pixels wide, by less than 3 of 15.5 pixels.
      #expect(abs(sum / 3 - Double(targets[example])) < 0.2)
    }
  }

  /// MSELoss of PyTorch: the mean over all elements, its gradient 2 (y − t) / n.
  @Test func lossIsTheMeanSquare() {
    let result = Targets.values([1, 2, 3, 4]).loss(Tensor([1, 4, 2, 4], [2, 1, 1, 2]))
    #expect(result.loss == 5.0 / 4 && result.absoluteError == 3.0 / 4)
    #expect(result.gradient.values == [0, 1, -0.5, 0] && result.gradient.shape == [2, 1, 1, 2])
    #expect(result.squaredError == result.loss)
  }

  /// Trained on (t − mean) / deviation, value by value, while errors stay in the targets' units.
  @Test func targetsAreStandardised() throws {
    let scale = try #require(TargetScale(means: [100, 0], deviations: [10, 2]))
    let targets = Targets.values([110, 2, 90, -4])
    // Standardised: 1, 1, −1, −2.
    let result = targets.loss(Tensor([1, 0, 1, -2], [2, 1, 1, 2]), scale: scale)
    #expect(result.loss == (0 + 1 + 4 + 0) / 4.0 && result.gradient.values == [0, -0.5, 1, 0])
    #expect(result.squaredError == (0 + 4 + 400 + 0) / 4.0 && result.absoluteError == (2 + 20) / 4.0)
    #expect(scale.predictions([1, 0, 1, -2]) == [110, 0, 110, -4])
    #expect(TargetScale(means: [0], deviations: [0]) == nil && TargetScale(means: [], deviations: []) == nil)
    // The training split's statistics; a constant value has deviation 1.
    let examples = try Examples(
      images: Tensor(repeating: 0, [4, 1, 1, 1]), values: [1, 7, 2, 7, 3, 7, 4, 7], source: "test")
    let own = try #require(TargetScale(examples))
    #expect(own.means == [2.5, 7] && own.deviations == [(1.25).squareRoot(), 1])
  }

  /// Targets of any size and place are learnt as those of deviation 1 are, with errors in their units.
  @Test func unitsOfTargetsDoNotMatter() throws {
    func errors(_ scale: Float, _ shift: Float) throws -> TestResult {
      func split(_ name: String) throws -> Examples {
        var random = Random(seed: 5).split(name)
        let images = Tensor(normal: [64, 6, 6, 3], using: &random)
        // The mean of the first channel.
        let means = (0..<64).map { image in
          (0..<36).reduce(Float(0)) { $0 + images[(image * 36 + $1) * 3] } / 36
        }
        return try Examples(images: images, values: means.map { $0 * scale + shift }, source: name)
      }
      let data = try Dataset(name: "means", classes: 1, train: split("train"), test: split("test"))
      return try Training.train(
        network("resnet20"), on: data, .standard(epochs: 3, isRegression: true), seed: 0, threads: 2
      ) { #expect($0.test == nil && $0.validation == nil) }.test
    }
    let small = try errors(1, 0), large = try errors(1000, 500)
    // The same but for the rounding of targets to single precision, 6e-8 of up to 1,000, which training amplifies.
    let ratio = try #require(large.mae) / #require(small.mae)
    #expect(abs(ratio / 1000 - 1) < 0.05, "\(ratio)")
  }

  /// The error of a network that always says the mean is the targets' variance, 0.11; a few epochs find the spots.
  @Test(arguments: ["mean_spot", "mean_spot_cbam"]) func meanSpotIsLearnt(_ model: String) throws {
    let data = try Dataset.load("spots"), network = try network(model)
    let before = try #require(Training.evaluate(network, data.test, threads: 2).mse)
    var results: [EpochResult] = []
    let chosen = try Training.train(
      network, on: data, .standard(epochs: 6, isRegression: true), seed: 0, threads: 2
    ) { results.append($0) }
    let after = try #require(chosen.test.mse), mae = try #require(chosen.test.mae)
    #expect(before > 0.08 && after < 0.04, "\(before), \(after)")
    #expect(mae * mae <= after && chosen.test.top1 == nil && results.last?.trainTop1 == nil)
    // The epoch with the smallest validation error.
    let errors = try results.map { try #require($0.validation?.mse) }
    #expect(errors.firstIndex(of: try #require(errors.min())) == chosen.epoch - 1)
    #expect(results.allSatisfy { $0.test == nil })
  }

  @Test func anyNetworkRegresses() throws {
    let data = try Dataset.load("spots"), network = try network("resnet20")
    let trainer = Trainer(network, on: data, .standard(epochs: 1, isRegression: true), seed: 0, threads: 2)
    let step = try trainer.step()
    #expect(step.loss.isFinite && step.top1 == nil && trainer.isRegression)
  }

  /// The random layers of a network depend on the step: a pass twice is the same, another step is not.
  @Test func dropoutDependsOnTheStep() throws {
    let network = try network("squeezenet1_1")
    var random = Random(seed: 1)
    let x = Tensor(normal: [1, 32, 32, 3], using: &random)
    var context = Context(training: true, threads: 1)
    let first = network.forward(x, context)
    #expect(network.forward(x, context) == first)
    context.step = 1
    #expect(network.forward(x, context) != first)
  }
}

/// `npy:DIR` with values to predict.
struct NpyTargetTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("targets-\(UUID())").path

  init() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    var random = Random(seed: 1)
    for (name, count) in [("train", 5), ("test", 2)] {
      try NpyFile.write(Tensor(normal: [count, 3, 4, 4], using: &random), to: path("\(name)_images.npy"))
      try NpyFile.write(Tensor((0..<2 * count).map(Float.init), [count, 2]), to: path("\(name)_targets.npy"))
    }
  }

  private func path(_ name: String) -> String { "\(folder)/\(name)" }

  @Test func targetsAreRead() throws {
    let data = try Dataset.load("npy:\(folder)")
    #expect(data.isRegression && data.classes == 2 && data.train.count == 5 && data.test.count == 2)
    #expect(data.train.gather([4, 1]).targets == .values([8, 9, 2, 3]))
    // One value for each image needs no second axis.
    try NpyFile.write(Tensor([1, 2, 3, 4, 5], [5]), to: path("train_targets.npy"))
    try NpyFile.write(Tensor([1, 2], [2]), to: path("test_targets.npy"))
    #expect(try Dataset.load("npy:\(folder)").classes == 1)
  }

  @Test func misfitsAreRefused() throws {
    func refusal() -> String? {
      do { _ = try Dataset.load("npy:\(folder)") } catch let error as WorkbenchError {
        return error.description
      } catch {}
      return nil
    }
    for (shape, words) in [
      ([5], "must be equal"), ([4, 2], "as many as the 5 images"), ([5, 1, 2], "[count] or [count, values]"),
    ] {
      try NpyFile.write(Tensor(repeating: 1, shape), to: path("train_targets.npy"))
      #expect(refusal()?.contains(words) == true, "\(shape)")
    }
    try NpyFile.write(Tensor(repeating: .infinity, [5, 2]), to: path("train_targets.npy"))
    #expect(refusal()?.contains("infinite or not a number") == true)
    try NpyFile.write(Tensor(repeating: 1, [5]), to: path("train_labels.npy"))
    #expect(refusal()?.contains("remove one of them") == true)
  }
}
