import Foundation

/// How far a network's confidence is from its accuracy (Guo et al., 2017, arXiv:1706.04599, §2).
package enum CalibrationError {
  /// Intervals of confidence, as in the paper.
  static let bins = 15

  /// The expected calibration error, from 0 to 1: over 15 equally wide intervals of confidence (lower end excluded), the
  /// distance of mean confidence and accuracy, weighted by the images in it.
  ///
  /// - Parameters:
  ///   - confidences: for each image, the probability of the class that is predicted.
  ///   - isRight: whether it is the right one.
  /// - Returns: NaN without images or for confidences that are not numbers.
  package static func expected(_ confidences: [Double], _ isRight: [Bool]) -> Double {
    guard !confidences.isEmpty, confidences.allSatisfy(\.isFinite) else { return .nan }
    // What the right ones have too little, the wrong ones too much: sums over each interval of accuracy − confidence.
    var gaps = Array(repeating: 0.0, count: bins)
    for (confidence, isRight) in zip(confidences, isRight) {
      let bin = Int((confidence * Double(bins)).rounded(.up)) - 1
      gaps[min(max(bin, 0), bins - 1)] += (isRight ? 1 : 0) - confidence
    }
    return gaps.reduce(0) { $0 + abs($1) } / Double(confidences.count)
  }
}
