import Compute
import Tensors

/// Layers one after the other.
public final class Sequential: Layer {
  /// The layers and their names, first to last.
  public let children: [(name: String, layer: any Layer)]

  /// A sequence of named layers.
  public init(_ children: [(name: String, layer: any Layer)]) { self.children = children }

  /// A sequence whose layers are named 0, 1, … as in PyTorch's `Sequential`.
  public convenience init(numbered layers: [any Layer]) {
    self.init(layers.enumerated().map { (String($0.offset), $0.element) })
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try children.reduce(input) { try $1.layer.outputShape(for: $0) }
  }

  public func cost(for input: FeatureShape) throws -> Cost {
    var shape = input, cost = Cost()
    for child in children {
      cost = cost + (try child.layer.cost(for: shape))
      shape = try child.layer.outputShape(for: shape)
    }
    return cost
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    children.reduce(input) { $1.layer.forward($0, context) }
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    children.reversed().reduce(gradient) { $1.layer.backward($0, context) }
  }
}

/// `main(x) + shortcut(x)`; without a shortcut layer, `main(x) + x` (He et al., 2015, arXiv:1512.03385).
public final class Residual: Layer {
  private let main: any Layer
  private let shortcut: (any Layer)?
  public let children: [(name: String, layer: any Layer)]

  /// A residual connection.
  ///
  /// - Parameters:
  ///   - main: named layers in sequence.
  ///   - shortcut: the layer beside them and its name, or nil for the identity.
  public init(_ main: [(name: String, layer: any Layer)], shortcut: (name: String, layer: any Layer)? = nil) {
    self.main = Sequential(main)
    self.shortcut = shortcut?.layer
    children = main + (shortcut.map { [$0] } ?? [])
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = try main.outputShape(for: input)
    let other = try shortcut?.outputShape(for: input) ?? input
    guard output == other else {
      throw WorkbenchError(
        "A residual block's branches give \(output) and \(other): its kernel must keep the size, as padding does."
      )
    }
    return output
  }

  public func cost(for input: FeatureShape) throws -> Cost {
    let addition = try Cost(adds: main.outputShape(for: input).count)
    return try main.cost(for: input) + (shortcut?.cost(for: input) ?? Cost()) + addition
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    .sum(
      main.forward(input, context), shortcut?.forward(input, context) ?? input, threads: context.threads)
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    .sum(
      main.backward(gradient, context), shortcut?.backward(gradient, context) ?? gradient,
      threads: context.threads)
  }
}
