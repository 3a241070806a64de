import Dispatch
import Foundation
import Kernels
import Layers
import Learning
import Networks
import Synchronization
import Tensors

/// One trained network: a kernel and a seed.
public struct TrainedRun: Sendable {
  /// The item of `--conv`.
  public let kernel: String
  /// The seed.
  public let seed: Int
  /// What each epoch came to.
  public var epochs: [EpochResult] = []
  /// Whether all epochs were run.
  public var isFinished = false
  /// Why it ended early, if it did by itself.
  public var failure: String?

  /// The duration of all epochs.
  public var seconds: Double { epochs.reduce(0) { $0 + $1.seconds } }
}

/// One row of networks.csv, without its training.
public struct NetworkRow: Sendable {
  /// The item of `--conv`.
  public let kernel: String
  /// What one image costs.
  public let cost: Cost
  /// Milliseconds of one image in each round; empty if the kernel refused.
  public let milliseconds: [Double]
  /// The median over rounds of standard's time over this one's.
  public let speedup: Double
  /// Why there is no network, if there is none.
  public let refusal: String?
}

/// Times and trains a network with each kernel.
public struct NetworkStudy {
  /// Counts and latencies, in the order of the kernels.
  public private(set) var rows: [NetworkRow] = []
  /// The runs, in the order of kernels and seeds; those cut short hold the epochs they finished.
  public private(set) var runs: [TrainedRun] = []

  private let specification: Specification

  /// A study of the networks of a specification.
  public init(_ specification: Specification) { self.specification = specification }

  /// Latency of one image in inference, the kernels taking turns.
  public mutating func measure() throws {
    let shape = specification.data.train.images.shape
    let input = FeatureShape(batch: 1, height: shape[1], width: shape[2], channels: shape[3])
    let (image, _) = specification.data.train.gather([0])
    let context = Context(training: false, threads: specification.threads)
    var networks: [(String, Network)] = [], refusals: [String: String] = [:]
    for choice in specification.kernels {
      do {
        let network = try specification.network(choice, seed: 0)
        _ = try network.outputShape(for: input)
        networks.append((choice.item, network))
      } catch let error as WorkbenchError {
        refusals[choice.item] = error.description
      }
    }
    let timing = try PairedTiming(
      budget: 1, networks.map { network in (prepare: {}, run: { _ = network.1.forward(image, context) }) })
    for choice in specification.kernels {
      if let index = networks.firstIndex(where: { $0.0 == choice.item }) {
        rows.append(
          NetworkRow(
            kernel: choice.item, cost: try networks[index].1.cost(for: input),
            milliseconds: timing.milliseconds[index], speedup: timing.speedup(index), refusal: nil))
      } else {
        rows.append(
          NetworkRow(
            kernel: choice.item, cost: Cost(), milliseconds: [], speedup: .nan, refusal: refusals[choice.item]
          ))
      }
    }
  }

  /// Trains every kernel with every seed, `threads` networks at a time: small layers gain more from that than
  /// from threads of their own, and no result depends on it.
  public mutating func train(_ progress: Progress) throws {
    let specification = specification
    let choices = specification.kernels.filter { choice in
      rows.contains { $0.kernel == choice.item && $0.refusal == nil }
    }
    let jobs = choices.flatMap { choice in (0..<specification.seeds).map { (choice, $0) } }
    let runs = Mutex(jobs.map { TrainedRun(kernel: $0.0.item, seed: $0.1) })
    let next = Atomic(0), cancelled = Atomic(false)
    guard specification.recipe.epochs > 0 else { return }
    DispatchQueue.concurrentPerform(iterations: max(1, min(specification.threads, jobs.count))) { _ in
      while true {
        let job = next.add(1, ordering: .relaxed).oldValue
        guard job < jobs.count, !cancelled.load(ordering: .relaxed) else { return }
        let (choice, seed) = jobs[job]
        do {
          let network = try specification.network(choice, seed: seed)
          try Training.train(
            network, on: specification.data, specification.recipe, seed: UInt64(seed), threads: 1,
            onStep: Cancellation.check
          ) { result in
            runs.withLock { $0[job].epochs.append(result) }
            progress.advance(
              "\(choice.item), seed \(seed): epoch \(result.epoch), \(result.test.text)"
            )
          }
          runs.withLock { $0[job].isFinished = true }
        } catch is Cancellation.Requested {
          cancelled.store(true, ordering: .relaxed)
        } catch {
          runs.withLock { $0[job].failure = "\(error)" }
        }
      }
    }
    self.runs = runs.withLock { $0 }
    if cancelled.load(ordering: .relaxed) { throw Cancellation.Requested() }
  }
}

extension TestResult {
  /// For people.
  public var text: String {
    if let top1 { return "test \(Cell.fixed(top1, decimals: 2)) %" }
    return "test MSE \(Cell.fixed(mse, decimals: 5)), MAE \(Cell.fixed(mae, decimals: 4))"
  }
}
