import Foundation

/// How the learning rate changes with the steps.
package struct Schedule: Hashable, Sendable, Codable {
  /// The rule after the warm-up.
  package enum Rule: Hashable, Sendable, Codable {
    /// The same rate throughout.
    case constant
    /// Half a cosine down to zero (Loshchilov and Hutter, 2016, arXiv:1608.03983).
    case cosine
    /// Times `factor` at each of the given shares of all steps.
    case step(at: [Double], factor: Double)
  }

  /// The highest rate.
  package var rate: Double
  /// The rule.
  package var rule: Rule
  /// The share of all steps in which the rate rises linearly from zero.
  package var warmUp: Double

  /// A schedule.
  package init(rate: Double, rule: Rule = .cosine, warmUp: Double = 0) {
    self.rate = rate
    self.rule = rule
    self.warmUp = warmUp
  }

  /// The rate of a step, counted from 0, of `steps`.
  package func rate(step: Int, of steps: Int) -> Double {
    let warm = Int((warmUp * Double(steps)).rounded())
    if step < warm { return rate * Double(step + 1) / Double(warm) }
    let progress = Double(step - warm) / Double(max(steps - warm, 1))
    switch rule {
    case .constant: return rate
    case .cosine: return rate * (1 + cos(.pi * progress)) / 2
    case .step(let shares, let factor):
      return rate * pow(factor, Double(shares.filter { Double(step) >= $0 * Double(steps) }.count))
    }
  }
}
