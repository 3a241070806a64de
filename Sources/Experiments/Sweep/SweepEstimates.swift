import Kernels
import Layers
import Learning
import Networks

/// How long trainings take: as those did that differ by the seed alone, else by what their networks compute.
struct SweepEstimates {
  private let seconds: [[String: String]: Double]
  private let work: [[String: String]: Double]
  /// Seconds for a unit of work; nil if nothing was trained yet.
  private let rate: Double?

  /// What the records that are known tell.
  ///
  /// - Parameter isCounted: whether networks that have no record are made to count what they compute.
  init(_ plan: SweepPlan, _ records: SweepRecords, isCounted: Bool = true) {
    var costs: [String: Double] = [:]
    var work: [[String: String]: Double] = [:], seconds: [[String: String]: [Double]] = [:]
    var known = (seconds: 0.0, work: 0.0)
    for run in plan.runs {
      guard let training = SweepWork.Training(run), case .training(_, _, _, let network) = run.work else {
        continue
      }
      let specification = training.specification, kind = Self.kind(run)
      if work[kind] == nil {
        let key = "\(network) \(training.choice.item)"
        let cost =
          costs[key] ?? records.known[network]?.result.networks?
          .first { $0.kernel == training.choice.item }.map { Double($0.cost.operations) }
          ?? (isCounted ? Self.cost(training) : 1)
        costs[key] = cost
        work[kind] =
          max(cost, 1) * Double(specification.data.train.count) * Double(specification.recipe.epochs)
      }
      if let times = records.known[run.name]?.timing.seconds, !times.isEmpty {
        let sum = times.reduce(0, +)
        seconds[kind, default: []].append(sum)
        known.seconds += sum
        known.work += work[kind] ?? 0
      }
    }
    self.work = work
    self.seconds = seconds.mapValues { $0.reduce(0, +) / Double($0.count) }
    rate = known.work > 0 ? known.seconds / known.work : nil
  }

  /// What all runs that differ by the seed alone share.
  static func kind(_ run: SweepPlan.Run) -> [String: String] {
    run.definition.filter { $0.key != "seed" }
  }

  private static func cost(_ training: SweepWork.Training) -> Double {
    guard let network = try? training.specification.network(training.choice, seed: 0),
      let cost = try? network.cost(for: training.specification.data.imageShape, pass: .inference)
    else { return 1 }
    return Double(cost.operations)
  }

  /// A number that is the larger the longer a training takes.
  func order(_ run: SweepPlan.Run) -> Double {
    let kind = Self.kind(run)
    return seconds[kind] ?? (work[kind] ?? 0) * (rate ?? 1)
  }

  /// How long a training takes, in seconds; nil if there is nothing to tell it by.
  func duration(_ run: SweepPlan.Run) -> Double? {
    let kind = Self.kind(run)
    return seconds[kind] ?? rate.flatMap { rate in work[kind].map { $0 * rate } }
  }
}
