/// How a proxy ranks the networks of a space that contain an operator, beside how their accuracy ranks them.
struct OperatorBias: Sendable {
  let proxy: String
  /// An item of `--conv`, of one kernel.
  let kernel: String
  /// The cells that the networks share.
  let set: [String: String]
  /// The networks that contain it, and have a value and an accuracy.
  let count: Int
  /// The mean of their percentile by the proxy less that by accuracy, each network weighted by how many of its places have
  /// the operator: positive where the proxy ranks it too high.
  let difference: Double
  /// Its 95 % percentile interval by the bootstrap over these networks, their ranks as they are.
  let interval: ClosedRange<Double>?

  /// What a network's places have: one kernel for all, or one each.
  static func places(_ kernel: String) -> [String] { kernel.split(separator: "+").map(String.init) }

  /// From 0 for the lowest value to 100 for the highest; equal ones have the mean of theirs.
  static func percentiles(_ values: [Double]) -> [Double] {
    Statistics.ranks(values).map { 100 * ($0 - 1) / Double(max(values.count - 1, 1)) }
  }

  /// All operators of a set; none if it is no space of many networks.
  static func all(
    _ proxy: String, in rows: [ReportData.Row], _ set: [String: String], _ accuracy: String, _ seed: UInt64
  ) -> [OperatorBias] {
    let known = rows.filter { $0.number(proxy) != nil && $0.number(accuracy) != nil }
    let networks = known.map { places($0["kernel"] ?? "") }
    guard networks.contains(where: { $0.count > 1 }), known.count >= ProxyQuality.Measure.many else {
      return []
    }
    func percentiles(_ column: String) -> [Double] {
      Self.percentiles(known.compactMap { $0.number(column) })
    }
    let differences = zip(percentiles(proxy), percentiles(accuracy)).map { $0 - $1 }
    return rows.flatMap { places($0["kernel"] ?? "") }.uniqued().compactMap { kernel in
      let own = zip(networks, differences).compactMap { network, difference in
        network.contains(kernel)
          ? (weight: Double(network.count { $0 == kernel }) / Double(network.count), difference: difference)
          : nil
      }
      func mean(_ chosen: [Int]) -> Double {
        chosen.reduce(0) { $0 + own[$1].weight * own[$1].difference }
          / chosen.reduce(0) { $0 + own[$1].weight }
      }
      guard own.count >= ProxyQuality.fewest else { return nil }
      return OperatorBias(
        proxy: proxy, kernel: kernel, set: set, count: own.count, difference: mean(Array(own.indices)),
        interval: Statistics.bootstrap95(own.count, seed: seed, mean))
    }
  }
}

extension ProxyQuality {
  /// proxy_operators.csv: a row for each proxy × operator of a space.
  package var operatorTable: CSVTable {
    typealias Column = Experiments.Column<OperatorBias>
    return CSVTable(
      operators,
      [
        Column("proxy") { $0.proxy }, Column("operator") { $0.kernel }, Column("networks") { $0.count },
        Column("rank_difference") { Cell.fixed($0.difference, decimals: 2) },
        Column("rank_difference_low95") { Cell.fixed($0.interval?.lowerBound, decimals: 2) },
        Column("rank_difference_high95") { Cell.fixed($0.interval?.upperBound, decimals: 2) },
      ] + Self.setColumns.map { name in Column(name) { $0.set[name] } })
  }
}
