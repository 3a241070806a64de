import Foundation

/// Summaries of samples.
package enum Statistics {
  /// The middle value, or the mean of the two middle ones; NaN of nothing.
  package static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted(), middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The median distance from the median.
  package static func medianAbsoluteDeviation(_ values: [Double]) -> Double {
    let centre = median(values)
    return median(values.map { abs($0 - centre) })
  }

  /// The mean; NaN of nothing.
  package static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }

  /// Half the width of the 95 % confidence interval of the mean, by Student's t; NaN below two values.
  package static func confidence95(_ values: [Double]) -> Double {
    guard values.count >= 2 else { return .nan }
    return StudentT.critical(0.05, degrees: Double(values.count - 1))
      * (variance(values) / Double(values.count)).squareRoot()
  }

  /// The sample's variance, by n − 1; NaN below two values.
  static func variance(_ values: [Double]) -> Double {
    guard values.count >= 2 else { return .nan }
    let centre = mean(values)
    return values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(values.count - 1)
  }
}
