import Tensors

/// A layer that runs others by name: its time and its rows in tables are those of the layers inside.
///
/// It runs each one with `Context.run` and `Context.runBackward`, so that an `Observer` sees them.
public protocol Container: Layer {
  /// What it runs over an input, in order.
  func steps(for input: FeatureShape) throws -> [ContainerStep]
}

/// One thing that a container runs.
public enum ContainerStep {
  /// A layer, with its input.
  case layer(NamedLayer, FeatureShape)
  /// What the container does itself.
  case operation(ContainerOperation)
}

/// What a container does itself, such as an addition.
public struct ContainerOperation {
  /// Its name in the container.
  let name: String
  /// What kind of operation it is.
  let type: String
  /// The shape of its output.
  let output: FeatureShape
  /// What it costs.
  let cost: (Cost.Pass) -> Cost

  /// An operation of a container.
  public init(name: String, type: String, output: FeatureShape, cost: @escaping (Cost.Pass) -> Cost) {
    self.name = name
    self.type = type
    self.output = output
    self.cost = cost
  }
}

extension Container {
  /// The sum over its steps.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    try steps(for: input).reduce(Cost()) { sum, step in
      switch step {
      case .layer(let part, let input): try sum + part.layer.cost(for: input, pass: pass)
      case .operation(let operation): sum + operation.cost(pass)
      }
    }
  }
}

/// A container whose children run one after the other, each on the output of the one before.
public protocol Chain: Container {}

extension Chain {
  /// The layers of which it is a plain sequence, with nested chains replaced by their layers.
  public var links: [any Layer] {
    children.flatMap { child in (child.layer as? any Chain)?.links ?? [child.layer] }
  }

  public func steps(for input: FeatureShape) throws -> [ContainerStep] {
    var shape = input, steps: [ContainerStep] = []
    for child in children {
      steps.append(.layer(child, shape))
      shape = try child.layer.outputShape(for: shape)
    }
    return steps
  }
}
