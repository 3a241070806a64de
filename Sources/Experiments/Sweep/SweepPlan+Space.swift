import Kernels
import Learning
import Networks
import Tensors

extension SweepPlan {
  /// The measurements of a space's networks: each is a run of its own, but for the times.
  struct SpaceRuns: Sendable {
    /// Counts and proxies, a run for each network.
    let networks: [Run]
    /// Networks timed in turns; nil if none are.
    let latency: Run?
    /// The layers of networks of one kernel, from which all others' times are predicted.
    let blocks: Run?

    /// All of them; what is timed first.
    var all: [Run] { [latency, blocks].compactMap { $0 } + networks }
  }

  /// The measurements of a space.
  ///
  /// - Parameters:
  ///   - plain: the kernels of the space, `standard` first.
  ///   - shared: what defines all runs on the model and the data.
  static func space(
    _ specification: Specification, _ plain: [KernelChoice], _ group: SweepGroup, _ shared: [String: String],
    _ place: String
  ) throws -> SpaceRuns {
    let networks = try specification.kernels.map { choice in
      try network(
        specification, [choice], seconds: nil, withProxies: group.hasProxies, shared,
        "\(choice.item): \(place)")
    }
    guard let seconds = group.latencySeconds else {
      return SpaceRuns(networks: networks, latency: nil, blocks: nil)
    }
    let others = specification.kernels.filter { choice in !plain.contains { $0.item == choice.item } }
    let timed = plain + (try spread(others, atMost: timedNetworks(of: specification) - plain.count))
    return SpaceRuns(
      networks: networks,
      latency: try network(
        specification, timed, seconds: seconds, withProxies: false, shared,
        "latency of \(timed.count) networks: \(place)"),
      blocks: try layers(specification.with(plain), shared, place))
  }

  /// The measurement of networks of a space: their counts, and proxies or times.
  static func network(
    _ specification: Specification, _ kernels: [KernelChoice], seconds: Double?, withProxies: Bool,
    _ shared: [String: String], _ label: String
  ) throws -> Run {
    var definition = shared
    definition["kind"] = "network"
    definition["kernels"] = list(kernels)
    definition["seconds"] = seconds.map { "\($0)" } ?? "untimed"
    definition["proxies"] = withProxies ? "on" : "off"
    if seconds != nil { definition["threads"] = "\(specification.threads)" }
    return try run(
      definition, label, kernels,
      .network(specification.with(kernels), seconds: seconds, withProxies: withProxies))
  }

  /// How many networks may be in memory together: 1 GiB of parameters, and no more than can take turns in a minute.
  private static func timedNetworks(of specification: Specification) throws -> Int {
    let parameters = try Random.$leavesTensorsUnset.withValue(true) {
      try specification.network(specification.standard, seed: 0).parameterCount
    }
    return max(16, min(400, (1 << 28) / max(parameters, 1)))
  }

  /// Evenly spread ones of a list.
  private static func spread(_ kernels: [KernelChoice], atMost count: Int) -> [KernelChoice] {
    guard kernels.count > count, count > 0 else { return count > 0 ? kernels : [] }
    return (0..<count).map { kernels[$0 * kernels.count / count] }
  }
}

extension SweepPlan {
  /// How many networks each space has, one sentence for each model and data set.
  var spaceCounts: [String] {
    groups.flatMap(\.comparisons).filter { $0.space != nil }.map { comparison in
      let specification = comparison.specification, count = specification.kernels.count
      return
        "\(specification.model.name) on \(specification.data.name): \(count) networks, standard included."
    }
  }
}

extension SweepPlan.SpaceRuns {
  /// The networks that there are records of, with the times of those that were timed.
  func rows(_ records: [String: SweepRecord]) -> [NetworkRow] {
    let timed = latency.flatMap { records[$0.name]?.networkRows } ?? []
    let times = Dictionary(timed.map { ($0.kernel, $0) }) { first, _ in first }
    return networks.flatMap { records[$0.name]?.networkRows ?? [] }.map { row in
      var row = row
      if let timed = times[row.kernel] { (row.times, row.place) = (timed.times, timed.place) }
      return row
    }
  }

  /// What predicts the networks' times, once it is measured.
  func model(_ specification: Specification, _ records: [String: SweepRecord]) -> LatencyModel? {
    guard let residual = specification.model.residual, let layers = blocks.flatMap({ records[$0.name] }),
      let networks = latency.flatMap({ records[$0.name] })
    else { return nil }
    return LatencyModel(
      residual, specification.kernels, layers: layers.rows(\.layers), networks: networks.rows(\.networks))
  }
}
