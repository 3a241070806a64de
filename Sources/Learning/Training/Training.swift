import Layers
import Tensors

/// What one epoch came to.
package struct EpochResult: Hashable, Sendable, Codable {
  /// Counted from 1.
  package let epoch: Int
  /// The learning rate of its last step.
  package let rate: Double
  /// The mean loss over its steps.
  package let trainLoss: Double
  /// Training images classified rightly while training, in percent; nil in a regression.
  package let trainTop1: Double?
  /// What the test after it came to.
  package var test: TestResult
  /// Its duration, test included; NaN if that is not known. It is coded apart from the rest.
  package var seconds = Double.nan

  private enum CodingKeys: CodingKey { case epoch, rate, trainLoss, trainTop1, test }

  /// Test images classified rightly, in percent; nil in a regression.
  package var testTop1: Double? { test.top1 }

  /// A result.
  package init(
    epoch: Int, rate: Double, trainLoss: Double, trainTop1: Double?, test: TestResult, seconds: Double
  ) {
    self.epoch = epoch
    self.rate = rate
    self.trainLoss = trainLoss
    self.trainTop1 = trainTop1
    self.test = test
    self.seconds = seconds
  }
}

/// How well a network does on the test split.
package struct TestResult: Hashable, Sendable, Codable {
  /// Images classified rightly, in percent; nil in a regression.
  package let top1: Double?
  /// The mean squared error of a regression, in squared units of the target; nil in a classification.
  package let mse: Double?
  /// The mean absolute error of a regression, in units of the target; nil in a classification.
  package let mae: Double?
  /// Whether the network's outputs are numbers.
  package let isFinite: Bool
  /// Which images are classified rightly; nil in a regression, or if that is not known. Records keep the last epoch's.
  package var hits: Hits?

  private enum CodingKeys: CodingKey { case top1, mse, mae, isFinite }

  /// A result from elsewhere.
  package init(top1: Double?, mse: Double?, mae: Double?, isFinite: Bool, hits: Hits? = nil) {
    self.top1 = top1
    self.mse = mse
    self.mae = mae
    self.isFinite = isFinite
    self.hits = hits
  }
}

/// Training and testing.
package enum Training {
  /// Trains a network, epoch by epoch.
  ///
  /// - Parameters:
  ///   - onEpoch: called after each epoch; may throw to end the training.
  ///   - onStep: called after each step; may throw to end the training.
  package static func train(
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

  /// How well a network does on some images.
  ///
  /// - Parameter scale: what the network predicts standardised in a regression; errors are in the targets' units.
  package static func evaluate(
    _ network: any Layer, _ examples: Examples, batch: Int = 256, scale: TargetScale? = nil, threads: Int
  ) -> TestResult {
    let context = Context(training: false, threads: threads)
    var isRight: [Bool] = [], loss = 0.0, squared = 0.0, absolute = 0.0
    for first in stride(from: 0, to: examples.count, by: batch) {
      let positions = Array(first..<min(first + batch, examples.count))
      let (images, targets) = examples.gather(positions)
      let result = targets.loss(network.forward(images, context), scale: scale)
      isRight += result.isRight
      loss += result.loss * Double(positions.count)
      squared += result.squaredError * Double(positions.count)
      absolute += result.absoluteError * Double(positions.count)
    }
    let count = Double(max(examples.count, 1)), isRegression = examples.isRegression
    return TestResult(
      top1: isRegression ? nil : 100 * Double(isRight.count { $0 }) / count,
      mse: isRegression ? squared / count : nil, mae: isRegression ? absolute / count : nil,
      isFinite: loss.isFinite, hits: isRegression ? nil : Hits(isRight))
  }
}

extension Examples {
  /// The images and targets at the given positions, in that order.
  package func gather(_ positions: [Int]) -> (images: Tensor, targets: Targets) {
    let image = images.count / max(count, 1)
    var result = Tensor(uninitialized: [positions.count] + images.shape.dropFirst())
    images.withPointer { source in
      result.withMutablePointer { target in
        for (index, position) in positions.enumerated() {
          (target + index * image).update(from: source + position * image, count: image)
        }
      }
    }
    return (result, targets.gather(positions, of: count))
  }
}
