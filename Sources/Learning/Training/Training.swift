import Layers
import Tensors

/// What one epoch came to.
public struct EpochResult: Hashable, Sendable, Codable {
  /// Counted from 1.
  public let epoch: Int
  /// The learning rate of its last step.
  public let rate: Double
  /// The mean loss over its steps.
  public let trainLoss: Double
  /// Training images classified rightly while training, in percent.
  public let trainTop1: Double
  /// Test images classified rightly after it, in percent.
  public let testTop1: Double
  /// Its duration, test included.
  public let seconds: Double

  /// A result from elsewhere, such as a record.
  public init(
    epoch: Int, rate: Double, trainLoss: Double, trainTop1: Double, testTop1: Double, seconds: Double
  ) {
    self.epoch = epoch
    self.rate = rate
    self.trainLoss = trainLoss
    self.trainTop1 = trainTop1
    self.testTop1 = testTop1
    self.seconds = seconds
  }
}

/// Training and testing.
public enum Training {
  /// Trains a network, epoch by epoch.
  ///
  /// - Parameters:
  ///   - onEpoch: called after each epoch; may throw to end the training.
  ///   - onStep: called after each step; may throw to end the training.
  public static func train(
    _ network: any Layer, on data: Dataset, _ recipe: Recipe, seed: UInt64, threads: Int,
    onStep: () throws -> Void = {}, onEpoch: (EpochResult) throws -> Void
  ) throws {
    let trainer = Trainer(network, on: data, recipe, seed: seed, threads: threads)
    while !trainer.isFinished {
      let step = try trainer.step()
      try onStep()
      if let epoch = step.epochResult { try onEpoch(epoch) }
    }
  }

  /// The share of images classified rightly, in percent, and the sum of the batches' mean losses.
  public static func evaluate(
    _ network: any Layer, _ examples: Examples, batch: Int = 256, threads: Int
  ) -> (top1: Double, loss: Double) {
    let context = Context(training: false, threads: threads)
    var correct = 0, loss = 0.0
    for first in stride(from: 0, to: examples.count, by: batch) {
      let (images, labels) = examples.gather(Array(first..<min(first + batch, examples.count)))
      let result = CrossEntropy.evaluate(network.forward(images, context), labels)
      correct += result.correct
      loss += result.loss
    }
    return (100 * Double(correct) / Double(max(examples.count, 1)), loss)
  }
}

extension Examples {
  /// The images and labels at the given positions, in that order.
  public func gather(_ positions: [Int]) -> (images: Tensor, labels: [Int]) {
    let image = images.count / max(count, 1)
    var result = Tensor(uninitialized: [positions.count] + images.shape.dropFirst())
    images.withPointer { source in
      result.withMutablePointer { target in
        for (index, position) in positions.enumerated() {
          (target + index * image).update(from: source + position * image, count: image)
        }
      }
    }
    return (result, positions.map { labels[$0] })
  }
}
