import Tensors

/// What a network is to say about each image.
package enum Targets: Hashable, Sendable {
  /// Classification: a class for each image.
  case labels([Int])
  /// Regression: some values for each image, one image after the other.
  case values([Float])

  /// Those at the given positions of `count` images, in that order.
  func gather(_ positions: [Int], of count: Int) -> Targets {
    switch self {
    case .labels(let labels): return .labels(positions.map { labels[$0] })
    case .values(let values):
      let width = values.count / max(count, 1)
      return .values(positions.flatMap { values[$0 * width..<($0 + 1) * width] })
    }
  }

  /// Cross-entropy of labels, the mean squared error of values.
  ///
  /// - Parameters:
  ///   - outputs: the network's, `[batch, 1, 1, classes or values]`.
  ///   - smoothing: the share of each label that is spread over all classes.
  ///   - scale: what the network predicts standardised in a regression; nil if it predicts the targets themselves.
  package func loss(_ outputs: Tensor, smoothing: Double = 0, scale: TargetScale? = nil) -> BatchLoss {
    switch self {
    case .labels(let labels): return CrossEntropy.evaluate(outputs, labels, smoothing: smoothing)
    case .values(let values): return MeanSquaredError.evaluate(outputs, values, scale)
    }
  }
}

/// What a batch came to.
package struct BatchLoss: Sendable {
  /// The mean over the batch: nats, or squared units of the target, without a unit if that is standardised.
  package let loss: Double
  /// The gradient to the outputs, in their shape.
  package let gradient: Tensor
  /// For each image, the class of the largest logit, the first of several; empty in a regression.
  package var predicted: [Int] = []
  /// For each image, how many classes are not known to come after the right one: those with a larger logit, with an
  /// equal one and a smaller number, or with none to compare (NaN); empty in a regression.
  package var ranks: [Int] = []
  /// For each image, the softmax probability of the predicted class; empty in a regression.
  package var confidences: [Double] = []
  /// The mean squared error in a regression, in squared units of the target; 0 in a classification.
  package var squaredError = 0.0
  /// The mean absolute error in a regression, in units of the target; 0 in a classification.
  package var absoluteError = 0.0

  /// For each image, whether it is classified rightly; empty in a regression.
  package var isRight: [Bool] { ranks.map { $0 == 0 } }
  /// How many images are classified rightly; 0 in a regression.
  package var correct: Int { ranks.count { $0 == 0 } }
}
