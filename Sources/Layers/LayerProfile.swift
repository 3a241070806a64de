import Tensors

/// The time that each layer of a network took in one pass of inference.
///
/// Costs and algorithms are looked up after the pass, so that they neither take its time nor empty its caches.
/// Not safe for concurrent use: a network runs its layers one after the other.
package final class LayerProfile {
  /// One layer, with what was done while its output was stored.
  package struct Entry: Sendable {
    /// The layer's path, for example `layer1.0.conv2`, and what was fused with it.
    package let name: String
    /// Its input.
    package let input: FeatureShape
    /// What the layer itself costs.
    package let cost: Cost
    /// The algorithm, or nil where there is no choice.
    package let algorithm: String?
    /// Its duration.
    package let seconds: Double
  }

  private var runs: [(name: String, layer: any Layer, input: FeatureShape, seconds: Double)] = []
  private let context: Context

  /// An empty profile.
  ///
  /// - Parameter context: how the pass runs.
  package init(_ context: Context) { self.context = context }

  /// An observer that records the layers of a pass here.
  package func observer() -> Observer {
    Observer { [self] run in runs.append((run.name, run.layer, FeatureShape(run.input), run.seconds)) }
  }

  /// The layers in the order in which they ran.
  package var entries: [Entry] { entries(seconds: runs.map(\.seconds)) }

  /// The layers of several passes of one network, each with the median of its times.
  ///
  /// - Parameter profiles: of one pass each, with the same layers; at least one.
  package static func medians(_ profiles: [LayerProfile]) -> [Entry] {
    precondition(profiles.allSatisfy { $0.runs.map(\.name) == profiles[0].runs.map(\.name) })
    return profiles[0].entries(
      seconds: profiles[0].runs.indices.map { run in
        let times = profiles.map { $0.runs[run].seconds }.sorted()
        return times[times.count / 2]
      })
  }

  private func entries(seconds: [Double]) -> [Entry] {
    zip(runs, seconds).map { run, seconds in
      Entry(
        name: run.name, input: run.input,
        cost: (try? run.layer.cost(for: run.input, pass: .inference)) ?? Cost(),
        algorithm: (run.layer as? any ChoosesAlgorithm)?.algorithm(for: run.input, .forward, context),
        seconds: seconds)
    }
  }
}
