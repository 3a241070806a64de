import Layers
import Tensors

/// Training and testing.
package enum Training {
  /// Trains a network, epoch by epoch; it ends with the weights of the chosen epoch.
  ///
  /// - Parameters:
  ///   - onEpoch: called after each epoch; may throw to end the training.
  ///   - onStep: called after each step; may throw to end the training.
  /// - Returns: the chosen epoch, and its test.
  @discardableResult
  package static func train(
    _ network: any Layer, on data: Dataset, _ recipe: Recipe, seed: UInt64, threads: Int,
    onStep: () throws -> Void = {}, onEpoch: (EpochResult) throws -> Void
  ) throws -> ChosenEpoch {
    let trainer = Trainer(network, on: data, recipe, seed: seed, threads: threads)
    while !trainer.isFinished {
      let step = try trainer.step()
      try onStep()
      if let epoch = step.epochResult { try onEpoch(epoch) }
    }
    return try trainer.finish()
  }

  /// The result of a network on some images.
  ///
  /// - Parameter scale: the standardisation of the targets in a regression; errors are in the targets' units.
  package static func evaluate(
    _ network: any Layer, _ examples: Examples, batch: Int = 256, scale: TargetScale? = nil, threads: Int
  ) -> TestResult {
    let context = Context(training: false, threads: threads)
    var predicted: [Int] = [], ranks: [Int] = [], confidences: [Double] = []
    var loss = 0.0, squared = 0.0, absolute = 0.0
    for first in stride(from: 0, to: examples.count, by: batch) {
      let positions = Array(first..<min(first + batch, examples.count))
      let (images, targets) = examples.gather(positions)
      let result = targets.loss(network.forward(images, context), scale: scale)
      predicted += result.predicted
      ranks += result.ranks
      confidences += result.confidences
      loss += result.loss * Double(positions.count)
      squared += result.squaredError * Double(positions.count)
      absolute += result.absoluteError * Double(positions.count)
    }
    let count = Double(max(examples.count, 1))
    guard !examples.isRegression else {
      return TestResult(
        top1: nil, mse: squared / count, mae: absolute / count, isFinite: loss.isFinite)
    }
    let isRight = ranks.map { $0 == 0 }
    return TestResult(
      top1: 100 * Double(isRight.count { $0 }) / count, mse: nil, mae: nil, isFinite: loss.isFinite,
      loss: loss / count, calibrationError: CalibrationError.expected(confidences, isRight),
      top5: 100 * Double(ranks.count { $0 < 5 }) / count, hits: Hits(isRight),
      predictions: Predictions(predicted))
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
