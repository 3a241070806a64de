extension Statistics {
  /// The correlation of x and y with some controls partialled out: from the correlations of each pair of all of them, one
  /// control after the other is taken out by r(x, y | z) = (r(x, y) − r(x, z)·r(y, z)) / √((1 − r(x, z)²)·(1 − r(y, z)²))
  /// (Kendall, 1942, "Partial rank correlation"). Controls that are constant, or order all as an earlier one does, add
  /// nothing and are left out. NaN where a control orders all as x or y does.
  ///
  /// - Parameter correlation: of two samples, such as ``kendallTau(_:_:)``.
  static func partial(
    _ x: [Double], _ y: [Double], given controls: [[Double]], _ correlation: ([Double], [Double]) -> Double
  ) -> Double {
    func isSame(_ r: Double) -> Bool { 1 - r * r < 1e-9 }
    let all = [x, y] + controls
    // Of each two of x, y and the controls: r[i][j] for i < j.
    var r = all.map { _ in all.map { _ in Double.nan } }
    for j in all.indices { for i in 0..<j { r[i][j] = correlation(all[i], all[j]) } }
    var left = [0, 1]
    for control in all.indices.dropFirst(2)
    where Set(all[control]).count > 1 && !left.dropFirst(2).contains(where: { isSame(r[$0][control]) }) {
      left.append(control)
    }
    while left.count > 2, let z = left.popLast() {
      guard !left.contains(where: { isSame(r[$0][z]) }) else { return .nan }
      let before = r
      for (place, j) in left.enumerated() {
        for i in left[..<place] {
          let scale = (1 - before[i][z] * before[i][z]) * (1 - before[j][z] * before[j][z])
          r[i][j] = (before[i][j] - before[i][z] * before[j][z]) / scale.squareRoot()
        }
      }
    }
    return r[0][1]
  }

  /// The quarter of a sample that each value is in, from 0: by NumPy's quartiles; equal values are in the same one.
  static func quarters(_ values: [Double]) -> [Int] {
    let cuts = [0.25, 0.5, 0.75].map { quantile(values, $0) }
    return values.map { value in cuts.count { $0 < value } }
  }

  /// For each value, how much of it is among the `count` highest: 1 or 0, and a share each for those that are equal at the
  /// end.
  static func top(_ count: Int, of values: [Double]) -> [Double] {
    guard count > 0, count <= values.count else { return values.map { _ in .nan } }
    let last = values.sorted(by: >)[count - 1]
    let above = values.count { $0 > last }, equal = values.count { $0 == last }
    return values.map { $0 > last ? 1 : $0 < last ? 0 : Double(count - above) / Double(equal) }
  }
}
