import Foundation

/// Student's t distribution.
enum StudentT {
  /// The probability of a value farther from zero than `t`, on either side.
  static func tails(_ t: Double, degrees n: Double) -> Double {
    incompleteBeta(n / (n + t * t), t * t / (n + t * t), n / 2, 0.5)
  }

  /// The value that is exceeded, on either side of zero, with probability `share`.
  static func critical(_ share: Double, degrees: Double) -> Double {
    guard share < 1 else { return 0 }
    var low = 1.0, high = 1.0
    while tails(high, degrees: degrees) > share { (low, high) = (high, 2 * high) }
    while tails(low, degrees: degrees) <= share { (low, high) = (low / 2, low) }
    return exp(
      Statistics.root(from: log(low), to: log(high)) { log(tails(exp($0), degrees: degrees) / share) })
  }

  /// The regularised incomplete beta function at x, with y = 1 − x, by its continued fraction (Press et al., Numerical
  /// Recipes, §6.4).
  private static func incompleteBeta(_ x: Double, _ y: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0, y > 0 else { return x > 0 ? 1 : 0 }
    let front = exp(lgamma(a + b).0 - lgamma(a).0 - lgamma(b).0 + a * log(x) + b * log(y))
    return x < (a + 1) / (a + b + 2) ? front * fraction(x, a, b) / a : 1 - front * fraction(y, b, a) / b
  }

  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
    var c = 1.0, d = 1 / nonzero(1 - (a + b) * x / (a + 1)), result = d
    for step in 1...500 {
      let m = Double(step), last = result
      for term in [
        m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
        -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
      ] {
        d = 1 / nonzero(1 + term * d)
        c = nonzero(1 + term / c)
        result *= c * d
      }
      if abs(result - last) <= 1e-15 * abs(result) { break }
    }
    return result
  }
}

extension Statistics {
  /// Where a function is zero that has different signs at both ends, to about 1e-13 of its value: false position, with
  /// the Illinois rule (Dowell and Jarratt, 1971, DOI 10.1007/BF01934364).
  static func root(from low: Double, to high: Double, of function: (Double) -> Double) -> Double {
    var a = low, b = high, atA = function(low), atB = function(high)
    for _ in 0..<100 where atA != atB {
      let middle = (a * atB - b * atA) / (atB - atA), value = function(middle)
      if value * atB < 0 { (a, atA) = (b, atB) } else { atA /= 2 }
      (b, atB) = (middle, value)
      if abs(value) < 1e-13 || abs(b - a) < 1e-15 * abs(b) { break }
    }
    return b
  }
}
