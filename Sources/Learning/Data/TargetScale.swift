/// The mean and standard deviation of each value that a regression predicts, used to standardise its targets.
package struct TargetScale: Hashable, Sendable, Codable {
  /// The means, one for each value of an image, in units of the target.
  package let means: [Double]
  /// The standard deviations; 1 where a value is constant up to rounding.
  package let deviations: [Double]

  /// The scale with these statistics; nil if they are invalid: no values, or deviations that are not above 0.
  package init?(means: [Double], deviations: [Double]) {
    guard !means.isEmpty, means.count == deviations.count, means.allSatisfy(\.isFinite),
      deviations.allSatisfy({ $0.isFinite && $0 > 0 })
    else { return nil }
    self.means = means
    self.deviations = deviations
  }

  /// The statistics of a training split, in double precision; nil in a classification.
  package init?(_ examples: Examples) {
    guard case .values(let values) = examples.targets else { return nil }
    let width = values.count / examples.count, count = Double(examples.count)
    var means = Array(repeating: 0.0, count: width), squares = means
    for (index, value) in values.enumerated() { means[index % width] += Double(value) / count }
    for (index, value) in values.enumerated() {
      let distance = Double(value) - means[index % width]
      squares[index % width] += distance * distance / count
    }
    self.init(
      means: means,
      deviations: zip(means, squares).map { mean, square in
        square.squareRoot() > abs(mean) * 1e-6 ? square.squareRoot() : 1
      })
  }

  /// The scale that a file of weights carries; nil if it carries none.
  package init?(metadata: [String: String]) {
    func list(_ name: String) -> [Double]? {
      guard let parts = metadata[name]?.split(separator: ",", omittingEmptySubsequences: false) else {
        return nil
      }
      let values = parts.compactMap { Double($0) }
      return values.count == parts.count ? values : nil
    }
    guard let means = list("target_mean"), let deviations = list("target_deviation") else { return nil }
    self.init(means: means, deviations: deviations)
  }

  /// Its metadata in a file of weights, with values separated by commas.
  package var metadata: [String: String] {
    func text(_ values: [Double]) -> String { values.map { "\($0)" }.joined(separator: ",") }
    return ["target_mean": text(means), "target_deviation": text(deviations)]
  }

  /// (t − mean) / deviation of the values of some images.
  func standardized(_ values: [Float]) -> [Float] {
    values.enumerated().map { index, value in
      let place = index % means.count
      return Float((Double(value) - means[place]) / deviations[place])
    }
  }

  /// deviation · y + mean of a network's outputs: predictions in units of the target.
  package func predictions(_ outputs: [Float]) -> [Float] {
    outputs.enumerated().map { index, value in
      let place = index % means.count
      return Float(Double(value) * deviations[place] + means[place])
    }
  }
}
