import Tensors

/// The time that each layer of a network took in one pass.
///
/// For one thread of control: a network runs its layers one after the other.
public final class LayerProfile: @unchecked Sendable {
  /// One layer, with what was done while its output was stored.
  public struct Entry: Sendable {
    /// The layer's path, for example `layer1.0.conv2`, and what was fused with it.
    public let name: String
    /// Its input.
    public let input: FeatureShape
    /// What the layer itself costs.
    public let cost: Cost
    /// The algorithm, or nil where there is no choice.
    public let algorithm: String?
    /// Its duration.
    public let seconds: Double
  }

  /// The layers in the order in which they ran.
  public private(set) var entries: [Entry] = []
  private var path: [String] = []
  private let onInput: (_ name: String, _ layer: any Layer, _ input: Tensor) -> Void

  /// An empty profile.
  ///
  /// - Parameter onInput: called with each layer, its path and its input, before it runs.
  public init(
    onInput: @escaping (_ name: String, _ layer: any Layer, _ input: Tensor) -> Void = { _, _, _ in }
  ) {
    self.onInput = onInput
  }

  /// Runs a layer that consists of others.
  func enter(_ name: String, _ body: () -> Tensor) -> Tensor {
    path.append(name)
    defer { path.removeLast() }
    return body()
  }

  /// Runs and times a layer.
  func time(
    _ name: String, _ layer: any Layer, _ input: Tensor, _ context: Context, _ body: () -> Tensor
  ) -> Tensor {
    let name = (path + [name]).reduce("", dotted)
    onInput(name, layer, input)
    let start = ContinuousClock.now
    let result = body()
    let seconds = (ContinuousClock.now - start).seconds
    let shape = FeatureShape(input)
    entries.append(
      Entry(
        name: name, input: shape,
        cost: (try? layer.cost(for: shape, pass: .inference)) ?? Cost(),
        algorithm: layer.algorithm(for: shape, .forward, context),
        seconds: seconds))
    return result
  }
}
