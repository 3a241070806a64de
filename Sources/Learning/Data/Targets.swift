import Tensors

/// The targets of a network: a label or values for each image.
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
  ///   - scale: the standardisation of the targets in a regression; nil if the network predicts them unscaled.
  package func loss(_ outputs: Tensor, smoothing: Double = 0, scale: TargetScale? = nil) -> BatchLoss {
    switch self {
    case .labels(let labels): return CrossEntropy.evaluate(outputs, labels, smoothing: smoothing)
    case .values(let values): return MeanSquaredError.evaluate(outputs, values, scale)
    }
  }
}

/// The results of a batch.
package struct BatchLoss: Sendable {
  /// The mean over the batch: nats, or squared units of the target, without a unit if that is standardised.
  package let loss: Double
  /// The gradient to the outputs, in their shape.
  package let gradient: Tensor
  /// For each image, the class of the largest logit, the first of several; empty in a regression.
  package var predicted: [Int] = []
  /// For each image, the rank of the right class: the number of classes with a larger logit, with an equal logit and
  /// a smaller index, or with NaN; empty in a regression.
  package var ranks: [Int] = []
  /// For each image, the softmax probability of the predicted class; empty in a regression.
  package var confidences: [Double] = []
  /// The mean squared error in a regression, in squared units of the target; 0 in a classification.
  package var squaredError = 0.0
  /// The mean absolute error in a regression, in units of the target; 0 in a classification.
  package var absoluteError = 0.0

  /// For each image, whether it is classified correctly; empty in a regression.
  package var isRight: [Bool] { ranks.map { $0 == 0 } }
  /// The number of images that are classified correctly; 0 in a regression.
  package var correct: Int { ranks.count { $0 == 0 } }
}
