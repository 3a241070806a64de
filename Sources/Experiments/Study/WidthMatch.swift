import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors

/// The budget in which networks of different kernels are matched to the standard one.
package enum Budget: String, Sendable, CaseIterable {
  /// Parameters.
  case params
  /// Multiply–accumulates of one image in inference.
  case macs
  /// The time of one image in inference.
  case latency
}

/// A width factor and the share of the budget that it reaches.
package struct MatchedWidth: Hashable, Sendable, Codable {
  /// The factor on the channels of the model's stem and stages.
  package var factor: Double
  /// The share of the budget that it reaches; nil if the kernel refuses every width.
  package var reached: Double?
}

/// A model that was brought to a budget for one kernel.
package struct MatchedModel: Sendable {
  /// The model, under the name of the one that it was made of.
  package let description: any ModelDescription
  /// Its whole width factor, with the model's own.
  package let width: Double
  /// What it comes to, as a share of the budget.
  package let reached: Double?
}

/// Searches the width at which a network costs as much as the standard one.
struct WidthMatch {
  /// The widest part of the network, in channels: one step of the search is one channel of it.
  private let finest: Int
  /// The cost at a factor, as a share of the budget; nil where the kernel refuses.
  private let share: (Double) throws -> Double?
  private var known: [Int: Double?] = [:]

  /// A search.
  init(_ model: ResidualDescription, share: @escaping (Double) throws -> Double?) {
    finest = max(model.stemWidth, model.stages.map(\.width).max() ?? 1)
    self.share = share
  }

  /// The largest factor that is tried, and the widths beside the nearest one that are looked at.
  private static let largest = 16, beside = 3

  /// The nearest width, by ratio; the narrower of two that are equally near.
  mutating func nearest() throws -> MatchedWidth {
    // The cost grows with the width, but for small steps where a kernel rounds its own channels.
    var low = 1, high = finest
    while high < Self.largest * finest, try (at(high, orAbove: 2 * high)?.share ?? 0) < 1 {
      (low, high) = (high, 2 * high)
    }
    while high - low > 1 {
      let middle = (low + high) / 2
      if let found = try at(middle, orAbove: high), found.share < 1 {
        low = max(middle, low + 1)
      } else {
        high = middle
      }
    }
    var best: (step: Int, distance: Double, share: Double)?
    for step in max(1, low - Self.beside)...high + Self.beside {
      guard let share = try at(step), share > 0 else { continue }
      let distance = abs(log(share))
      if best.map({ distance < $0.distance }) ?? true { best = (step, distance, share) }
    }
    guard let best else { return MatchedWidth(factor: 1, reached: nil) }
    return MatchedWidth(factor: Double(best.step) / Double(finest), reached: best.share)
  }

  private mutating func at(_ step: Int) throws -> Double? {
    if let value = known[step] { return value }
    let value = try share(Double(step) / Double(finest))
    known[step] = value
    return value
  }

  /// The first step from here that the kernel takes.
  private mutating func at(_ step: Int, orAbove end: Int) throws -> (step: Int, share: Double)? {
    for next in step...max(step, min(end, step + 8)) {
      if let share = try at(next) { return (next, share) }
    }
    return nil
  }
}

extension Specification {
  /// The width of a kernel's network that costs as much as the standard one, the nearest there is.
  ///
  /// - Parameters:
  ///   - description: the model with a factor on its width.
  ///   - seconds: about how long one comparison may take where times are measured.
  func matchedWidth(
    _ choice: KernelChoice, _ budget: Budget, seconds: Double = 0.2,
    description: @escaping (Double) throws -> any ModelDescription
  ) throws -> MatchedWidth {
    guard let residual = model.residual else {
      throw WorkbenchError(
        "\(model.name) is not a residual network, so its width cannot be matched; choose one, or leave out match."
      )
    }
    guard choice.item != standard.item else { return MatchedWidth(factor: 1, reached: 1) }
    let shape = data.train.images.shape
    let input = FeatureShape(batch: 1, height: shape[1], width: shape[2], channels: shape[3])
    // Only networks that are timed need weights.
    func network(_ model: any ModelDescription, _ kernel: KernelChoice) throws -> Network {
      try Random.$leavesTensorsUnset.withValue(budget != .latency) {
        try Network(model, kernel: kernel, standard: standard, seed: 0)
      }
    }
    let yardstick = try network(model, standard)
    let context = Context(training: false, threads: threads), (image, _) = data.train.gather([0])
    func cost(_ network: Network) throws -> Double {
      let cost = try network.cost(for: input, pass: .inference)
      return Double(budget == .params ? cost.parameters : cost.macs)
    }
    let whole = budget == .latency ? 1 : try cost(yardstick)
    var search = WidthMatch(residual) { factor in
      try Cancellation.check()
      guard let network = try? network(description(factor), choice),
        (try? network.outputShape(for: input)) != nil
      else { return nil }
      guard budget == .latency else { return try cost(network) / max(whole, 1) }
      let timing = try PairedTiming(
        budget: seconds,
        [yardstick, network].map { network in
          (prepare: {}, run: { _ = network.forward(image, context) })
        })
      return 1 / timing.speedup(1)
    }
    return try search.nearest()
  }
}

extension Specification {
  /// The widths of all kernels, in their order.
  func matchedWidths(_ sweepModel: SweepModel, _ budget: Budget) throws -> [MatchedWidth] {
    try kernels.map { choice in
      try matchedWidth(choice, budget) { factor in
        try sweepModel.widened(sweepModel.width * factor)
          .description(data.train.images.shape[3], data.classes)
      }
    }
  }
}
