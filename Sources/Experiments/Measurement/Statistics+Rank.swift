extension Statistics {
  /// Kendall's τ-b of pairs (1945, "The treatment of ties in ranking problems"); NaN where either side is constant.
  package static func kendallTau(_ x: [Double], _ y: [Double]) -> Double {
    precondition(x.count == y.count)
    return tau([order(x, y)])
  }

  /// τ-b over those pairs only of which both are in one stratum; NaN where there are none, or all are equal on a side.
  static func kendallTau(_ x: [Double], _ y: [Double], within strata: [Int]) -> Double {
    precondition(x.count == y.count && x.count == strata.count)
    return tau(
      Set(strata).map { stratum in
        let places = strata.indices.filter { strata[$0] == stratum }
        return order(places.map { x[$0] }, places.map { y[$0] })
      })
  }

  private typealias Order = (sum: Int, x: Int, y: Int)

  private static func tau(_ orders: [Order]) -> Double {
    func sum(_ part: (Order) -> Int) -> Double { Double(orders.reduce(0) { $0 + part($1) }) }
    return sum(\.sum) / (sum(\.x) * sum(\.y)).squareRoot()
  }

  /// Over all pairs: how many more are in the same order than in the reverse, and how many are not equal on each side.
  private static func order(_ x: [Double], _ y: [Double]) -> Order {
    var result: Order = (0, 0, 0)
    for i in x.indices {
      for j in 0..<i {
        let a = order(x[i], x[j]), b = order(y[i], y[j])
        result.sum += a * b
        result.x += a * a
        result.y += b * b
      }
    }
    return result
  }

  /// Spearman's ρ of pairs: the correlation of their ranks, ties at their mean rank; NaN where either side is constant.
  package static func spearmanRho(_ x: [Double], _ y: [Double]) -> Double {
    precondition(x.count == y.count)
    let a = ranks(x), b = ranks(y), middle = Double(x.count + 1) / 2
    func product(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).reduce(0) { $0 + ($1.0 - middle) * ($1.1 - middle) }
    }
    return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
  }

  /// The place of each value in the order of all, from 1; equal ones have the mean of theirs.
  package static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count), first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count, values[order[last + 1]] == values[order[first]] { last += 1 }
      for place in first...last { ranks[order[place]] = Double(first + last) / 2 + 1 }
      first = last + 1
    }
    return ranks
  }

  private static func order(_ a: Double, _ b: Double) -> Int { (a > b ? 1 : 0) - (a < b ? 1 : 0) }
}
