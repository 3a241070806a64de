import Compute
import Foundation
import Layers
import Networks
import Tensors

/// How a network is trained.
public struct Recipe: Hashable, Sendable, Codable {
  /// Passes over the training split.
  public var epochs: Int
  /// Images in a step.
  public var batch: Int
  /// The learning rate.
  public var schedule: Schedule
  /// The optimiser.
  public var optimizer: SGD.Options
  /// Label smoothing.
  public var smoothing: Double
  /// Whether images are shifted and mirrored as the dataset allows.
  public var augments: Bool

  /// The main job's recipe, for a number of epochs.
  public init(
    epochs: Int, batch: Int = 32, schedule: Schedule = Schedule(rate: 0.1, warmUp: 0.05),
    optimizer: SGD.Options = .init(momentum: 0.9, nesterov: true, weightDecay: 5e-4), smoothing: Double = 0,
    augments: Bool = false
  ) {
    self.epochs = epochs
    self.batch = batch
    self.schedule = schedule
    self.optimizer = optimizer
    self.smoothing = smoothing
    self.augments = augments
  }
}

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
}

/// The training loop.
public enum Training {
  /// Trains a network, epoch by epoch.
  ///
  /// The order of the images depends on `seed` alone; so do the results, for any number of threads.
  ///
  /// - Parameters:
  ///   - onEpoch: called after each epoch; may throw to end the training.
  ///   - onStep: called after each step; may throw to end the training.
  public static func train(
    _ network: any Layer, on data: Dataset, _ recipe: Recipe, seed: UInt64, threads: Int,
    onStep: () throws -> Void = {}, onEpoch: (EpochResult) throws -> Void
  ) throws {
    let context = Context(training: true, threads: threads)
    var backwardContext = context
    backwardContext.skipsInputGradient = true
    let parameters = network.parameters.map(\.parameter)
    let optimizer = SGD(parameters, recipe.optimizer)
    var random = Random(seed: seed).split("order")
    let count = data.train.count
    let batches = (count + recipe.batch - 1) / recipe.batch
    for epoch in 0..<recipe.epochs {
      let start = ContinuousClock.now
      let order = (0..<count).shuffled(using: &random)
      var loss = 0.0, correct = 0, rate = 0.0
      for batch in 0..<batches {
        let chosen = Array(order[batch * recipe.batch..<min((batch + 1) * recipe.batch, count)])
        var (images, labels) = data.train.gather(chosen)
        if recipe.augments { data.augmentation.apply(to: &images, using: &random) }
        let logits = network.forward(images, context)
        let result = CrossEntropy.evaluate(logits, labels, smoothing: recipe.smoothing)
        _ = network.backward(result.gradient, backwardContext)
        rate = recipe.schedule.rate(step: epoch * batches + batch, of: recipe.epochs * batches)
        optimizer.step(rate: rate)
        loss += result.loss * Double(chosen.count)
        correct += result.correct
        try onStep()
      }
      guard loss.isFinite else {
        throw WorkbenchError(
          "Training diverged in epoch \(epoch + 1): the loss is not a number; lower the learning rate.")
      }
      let (top1, testLoss) = evaluate(network, data.test, threads: threads)
      guard testLoss.isFinite else {
        throw WorkbenchError(
          "Training diverged in epoch \(epoch + 1): the network's outputs are not numbers; lower the learning rate."
        )
      }
      try onEpoch(
        EpochResult(
          epoch: epoch + 1, rate: rate, trainLoss: loss / Double(count),
          trainTop1: 100 * Double(correct) / Double(count), testTop1: top1,
          seconds: (ContinuousClock.now - start).seconds))
    }
  }

  /// The share of images classified rightly, in percent, and the sum of the batches' mean losses.
  public static func evaluate(
    _ network: any Layer, _ examples: Examples, threads: Int
  ) -> (top1: Double, loss: Double) {
    let context = Context(training: false, threads: threads)
    var correct = 0, loss = 0.0
    for first in stride(from: 0, to: examples.count, by: 256) {
      let (images, labels) = examples.gather(Array(first..<min(first + 256, examples.count)))
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
