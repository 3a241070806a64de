import Foundation

/// The results of one epoch.
package struct EpochResult: Hashable, Sendable, Codable {
  /// Counted from 1.
  package let epoch: Int
  /// The learning rate of its last step.
  package let rate: Double
  /// The mean loss over its steps.
  package let trainLoss: Double
  /// Training images classified correctly while training, in percent; nil in a regression.
  package let trainTop1: Double?
  /// The result on the validation split after it; nil if there is none.
  package var validation: TestResult?
  /// The result on the test split after it; nil except for the chosen epoch. Records of earlier versions have it for
  /// every epoch.
  package var test: TestResult?
  /// Its duration, validation included; NaN if that is not known. It is coded apart from the rest.
  package var seconds = Double.nan

  private enum CodingKeys: CodingKey { case epoch, rate, trainLoss, trainTop1, validation, test }

  /// A result.
  package init(
    epoch: Int, rate: Double, trainLoss: Double, trainTop1: Double?, validation: TestResult? = nil,
    test: TestResult? = nil, seconds: Double
  ) {
    self.epoch = epoch
    self.rate = rate
    self.trainLoss = trainLoss
    self.trainTop1 = trainTop1
    self.validation = validation
    self.test = test
    self.seconds = seconds
  }
}

/// The epoch whose weights a training ends with: the best on the validation split, or the last if there is none.
package struct ChosenEpoch: Hashable, Sendable {
  /// Counted from 1.
  package let epoch: Int
  /// The result on the test split.
  package let test: TestResult
}

extension [EpochResult] {
  /// The epoch whose weights were tested; of a record of earlier versions, which tested every one, the last.
  package var chosen: EpochResult? { last { $0.test != nil } }

  /// Notes the test of the chosen epoch.
  package mutating func note(_ chosen: ChosenEpoch) {
    if let index = lastIndex(where: { $0.epoch == chosen.epoch }) { self[index].test = chosen.test }
  }
}

/// The result of a network on the images of a split.
package struct TestResult: Hashable, Sendable, Codable {
  /// Images classified correctly, in percent; nil in a regression.
  package let top1: Double?
  /// The mean squared error of a regression, in squared units of the target; nil in a classification.
  package let mse: Double?
  /// The mean absolute error of a regression, in units of the target; nil in a classification.
  package let mae: Double?
  /// Whether the network's outputs are numbers.
  package let isFinite: Bool
  /// The mean cross-entropy in nats, without label smoothing; nil in a regression, or if that is not known.
  package let loss: Double?
  /// The expected calibration error, from 0 to 1; nil in a regression, or if that is not known.
  package let calibrationError: Double?
  /// Images whose class is among the five with the largest outputs, in percent; nil in a regression, or if that is not
  /// known.
  package let top5: Double?
  /// Which images are classified correctly; nil in a regression, or if that is not known. Records keep the chosen
  /// epoch's.
  package var hits: Hits?
  /// The class that is predicted for each image; as ``hits``.
  package var predictions: Predictions?

  private enum CodingKeys: String, CodingKey {
    case top1, mse, mae, isFinite, loss, top5
    case calibrationError = "ece"
  }

  /// A result from elsewhere.
  package init(
    top1: Double?, mse: Double?, mae: Double?, isFinite: Bool, loss: Double? = nil,
    calibrationError: Double? = nil, top5: Double? = nil, hits: Hits? = nil, predictions: Predictions? = nil
  ) {
    self.top1 = top1
    self.mse = mse
    self.mae = mae
    self.isFinite = isFinite
    self.loss = loss
    self.calibrationError = calibrationError
    self.top5 = top5
    self.hits = hits
    self.predictions = predictions
  }

  /// Whether an epoch with this result is chosen over one with another: the higher accuracy, and where both are equal the
  /// lower loss; in a regression the lower mean squared error.
  func isBetter(than other: TestResult) -> Bool {
    if let own = top1, let others = other.top1, own != others { return own > others }
    return (mse ?? loss ?? .infinity) < (other.mse ?? other.loss ?? .infinity)
  }
}

extension [TestResult] {
  /// The one that is chosen; nil if there is none.
  package var best: TestResult? {
    reduce(nil) { best, result in best.map { result.isBetter(than: $0) } ?? true ? result : best }
  }
}
