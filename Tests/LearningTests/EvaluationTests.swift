import Foundation
import Tensors
import Testing

@testable import Learning

/// Losses, calibration and confusion against NumPy's (experiments/peers/make_evaluation_fixture.py).
@Suite struct EvaluationTests {
  private struct Facts: Decodable {
    let logits: [Float], labels: [Int], loss: Double, top1: Double, top5: Double, ece: Double
    let confusion: [[Int]]
  }

  private static func facts() throws -> Facts {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/evaluation", withExtension: "json"))
    return try JSONDecoder().decode(Facts.self, from: Data(contentsOf: url))
  }

  /// Both compute in double precision from the same numbers, so that only the order of some hundred additions differs.
  @Test func isWhatNumPyComputes() throws {
    let facts = try Self.facts(), count = facts.labels.count
    let result = CrossEntropy.evaluate(Tensor(facts.logits, [count, 1, 1, 7]), facts.labels)
    #expect(abs(result.loss - facts.loss) < 1e-12)
    #expect(abs(CalibrationError.expected(result.confidences, result.isRight) - facts.ece) < 1e-12)
    #expect(100 * Double(result.isRight.count { $0 }) / Double(count) == facts.top1)
    #expect(100 * Double(result.ranks.count { $0 < 5 }) / Double(count) == facts.top5)
    #expect(ConfusionMatrix(facts.labels, result.predicted, classes: 7).counts == facts.confusion)
  }

  /// A network that diverged has classified nothing, whatever the labels are.
  @Test func whatIsNoNumberIsNotRight() {
    let lost = CrossEntropy.evaluate(Tensor(repeating: .nan, [2, 1, 1, 7]), [0, 3])
    #expect(lost.isRight == [false, false] && lost.ranks == [6, 6])
    let partly = CrossEntropy.evaluate(Tensor([1, .nan, 0, 3, .nan, 0], [2, 1, 1, 3]), [0, 0])
    #expect(partly.isRight == [false, false])
  }

  /// Equal logits: the first class is the one that is predicted, and the only one that can be right.
  @Test func equalLogitsAreInOrder() {
    let result = CrossEntropy.evaluate(Tensor(repeating: 0.5, [3, 1, 1, 3]), [0, 1, 2])
    #expect(result.predicted == [0, 0, 0] && result.ranks == [0, 1, 2])
    #expect(result.isRight == [true, false, false] && result.correct == 1)
  }

  @Test func calibrationIsBetweenNoneAndAll() {
    #expect(CalibrationError.expected([1, 1], [true, true]) == 0)
    #expect(CalibrationError.expected([1, 1], [false, false]) == 1)
    // One interval: half are right, with confidence one half.
    #expect(CalibrationError.expected([0.5, 0.5], [true, false]) == 0)
    // Intervals do not make up for each other.
    #expect(abs(CalibrationError.expected([0.9, 0.1], [false, true]) - 0.9) < 1e-15)
    // A limit belongs to the interval below it.
    #expect(
      abs(CalibrationError.expected([1.0 / 15, 0.01], [true, false]) - (1 - 1.0 / 15 - 0.01) / 2) < 1e-15)
    #expect(CalibrationError.expected([], []).isNaN && CalibrationError.expected([.nan], [true]).isNaN)
  }

  @Test(arguments: [[], [0, 255, 7], [0, 256, 65_535, 12]]) func predictionsComeBack(_ classes: [Int]) throws
  {
    let predictions = Predictions(classes)
    #expect(predictions.values(classes.count) == classes && predictions.values(classes.count + 1) == nil)
    let again = try JSONDecoder().decode(Predictions.self, from: JSONEncoder().encode(predictions))
    #expect(again == predictions)
  }

  @Test func confusionIsByClass() {
    let matrix = ConfusionMatrix([0, 0, 0, 1, 1], [0, 1, 2, 1, 1], classes: 3)
    #expect(matrix.counts == [[1, 1, 1], [0, 2, 0], [0, 0, 0]])
    #expect(matrix.accuracy(1) == 100 && matrix.accuracy(2) == nil && matrix.images(0) == 3)
    #expect(matrix.mistake(0)?.count == 1 && matrix.mistake(1) == nil)
  }
}
