import Foundation

/// Summaries of samples.
public enum Statistics {
  /// The middle value, or the mean of the two middle ones; NaN of nothing.
  public static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted(), middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// The median distance from the median.
  public static func medianAbsoluteDeviation(_ values: [Double]) -> Double {
    let centre = median(values)
    return median(values.map { abs($0 - centre) })
  }

  /// The mean; NaN of nothing.
  public static func mean(_ values: [Double]) -> Double {
    values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }

  /// Half the width of the 95 % confidence interval of the mean, by Student's t; NaN below two values.
  public static func confidence95(_ values: [Double]) -> Double {
    guard values.count >= 2 else { return .nan }
    let centre = mean(values)
    let variance = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(values.count - 1)
    return studentT975(values.count - 1) * (variance / Double(values.count)).squareRoot()
  }

  /// The 97.5 % quantile of Student's t distribution.
  ///
  /// Up to 30 degrees of freedom from the usual table; beyond, Cornish and Fisher's expansion about the normal
  /// quantile (Abramowitz and Stegun, 26.7.5), good to 1e-4.
  public static func studentT975(_ degrees: Int) -> Double {
    let table = [
      12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281, 2.2010, 2.1788, 2.1604,
      2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860, 2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555,
      2.0518, 2.0484, 2.0452, 2.0423,
    ]
    if degrees <= table.count { return table[max(degrees, 1) - 1] }
    let z = 1.959964, n = Double(degrees)
    return z + (pow(z, 3) + z) / (4 * n) + (5 * pow(z, 5) + 16 * pow(z, 3) + 3 * z) / (96 * n * n)
  }
}
