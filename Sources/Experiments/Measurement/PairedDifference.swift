/// The mean difference of paired measurements, with its 95 % interval by Student's t.
public struct PairedDifference: Hashable, Sendable {
  /// The mean of the differences; NaN without pairs.
  public let mean: Double
  /// Half the interval's width; NaN below two pairs.
  public let confidence95: Double

  /// The differences `values` − `others`, each pair from the same seed.
  public init(_ values: [Double], minus others: [Double]) {
    let differences = zip(values, others).map { $0 - $1 }
    mean = Statistics.mean(differences)
    confidence95 = Statistics.confidence95(differences)
  }

  /// `better` or `worse` where the interval excludes zero, else nothing.
  ///
  /// - Parameter step: the smallest difference that can be measured; with few seeds the interval may be as narrow as
  ///   nothing, which a difference of one such step must not pass.
  public func verdict(above step: Double = 0) -> String {
    guard abs(mean) > confidence95, abs(mean) > step * 1.000001 else { return "" }
    return mean > 0 ? "better" : "worse"
  }
}
