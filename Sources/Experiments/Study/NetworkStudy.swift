import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors

/// One trained network: a kernel and a seed.
package struct TrainedRun: Sendable {
  /// The item of `--conv`.
  package let kernel: String
  /// The seed.
  package let seed: Int
  /// Each epoch's results.
  package var epochs: [EpochResult] = []
  /// Whether all epochs were run.
  package var isFinished = false
  /// Where it reads for the first test image, if it has learned that and was trained to its end.
  package var offsets: LayerOffsets?
  /// Why it ended early, if it was not stopped.
  package var failure: String?
  /// Where it was trained, if that is known.
  var place: RunPlace?

  /// The epoch whose weights were tested; nil if none was.
  package var chosen: EpochResult? { epochs.chosen }

  /// The duration of all epochs.
  package var seconds: Double { epochs.reduce(0) { $0 + $1.seconds } }
}

/// One row of networks.csv, without its training.
package struct NetworkRow: TimedRow, Sendable {
  /// The item of `--conv`.
  package let kernel: String
  /// What one image costs.
  package var cost = Cost()
  /// Its proxies at the start of the training with seed 0.
  package var proxies = ProxyValues()
  /// Why there is no network, if there is none.
  package var refusal: String?
  /// What to know of it on this data, if there is something.
  package var remark: String?
  /// The times of one image.
  package var times = RowTimes()
  /// Where it was measured, if that is known.
  var place: RunPlace?

  private enum CodingKeys: CodingKey { case kernel, cost, proxies, refusal, remark }

  init(kernel: String) { self.kernel = kernel }
}

/// Counts and times a network with each kernel.
package struct NetworkStudy {
  /// Counts and latencies, in the order of the kernels.
  package private(set) var rows: [NetworkRow] = []

  private let specification: Specification

  /// A study of the networks of a specification.
  package init(_ specification: Specification) { self.specification = specification }

  /// Counts, and latency of one image in inference, the kernels taking turns.
  ///
  /// - Parameters:
  ///   - seconds: about how long all may be timed together; nil counts only.
  ///   - withProxies: whether proxies are computed.
  package mutating func measure(seconds: Double? = 1, withProxies: Bool = true) throws {
    let shape = specification.data.train.images.shape
    let input = FeatureShape(batch: 1, height: shape[1], width: shape[2], channels: shape[3])
    let (image, _) = specification.data.train.gather([0])
    let context = Context(training: false, threads: specification.threads)
    var networks: [(row: Int, network: Network)] = []
    for (index, choice) in specification.kernels.enumerated() {
      rows.append(NetworkRow(kernel: choice.item))
      do {
        let network = try specification.network(choice, seed: 0)
        _ = try network.outputShape(for: input)
        networks.append((index, network))
      } catch let error as WorkbenchError {
        rows[index].refusal = error.description
      }
    }
    let timing = try seconds.map { seconds in
      try PairedTiming(
        budget: seconds, most: 51,
        networks.map { entry in (prepare: {}, run: { _ = entry.network.forward(image, context) }) })
    }
    for (contestant, (index, network)) in networks.enumerated() {
      rows[index].cost = try network.cost(for: input, pass: .inference)
      rows[index].remark = try network.reachRemark(for: input)
      rows[index].times = timing?.times(contestant) ?? RowTimes()
      if withProxies {
        rows[index].proxies = specification.proxies(of: network, specification.kernels[index])
      }
    }
  }

  /// The time of each layer, on one image in inference; kernels that refuse have no rows.
  func layers() throws -> [LayerTime] {
    let (image, _) = specification.data.train.gather([0])
    let context = Context(training: false, threads: specification.threads)
    let networks = specification.kernels.compactMap { choice -> (item: String, network: Network)? in
      guard let network = try? specification.network(choice, seed: 0),
        (try? network.outputShape(for: FeatureShape(image))) != nil
      else { return nil }
      return (choice.item, network)
    }
    let profiles = try Network.profiles(networks.map(\.network), image, context)
    return zip(networks, profiles).flatMap { LayerTime.rows($0.item, $1) }
  }
}

extension TestResult {
  /// For people.
  package var text: String {
    if let top1 { return "\(Cell.fixed(top1, decimals: 2)) %" }
    return "MSE \(Cell.fixed(mse, decimals: 5)), MAE \(Cell.fixed(mae, decimals: 4))"
  }
}

extension EpochResult {
  /// For people: its validation result, after a comma.
  package var text: String { validation.map { ", validation \($0.text)" } ?? "" }
}
