import Tensors

/// The time that each layer of a network took in one pass of inference.
///
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

  /// The layers in the order in which they ran.
  package private(set) var entries: [Entry] = []

  /// An empty profile.
  package init() {}

  /// An observer that records the layers of a pass here.
  ///
  /// - Parameter context: how the pass runs.
  package func observer(_ context: Context) -> Observer {
    Observer { [self] run in
      let shape = FeatureShape(run.input)
      entries.append(
        Entry(
          name: run.name, input: shape,
          cost: (try? run.layer.cost(for: shape, pass: .inference)) ?? Cost(),
          algorithm: (run.layer as? any ChoosesAlgorithm)?.algorithm(for: shape, .forward, context),
          seconds: run.seconds))
    }
  }
}
