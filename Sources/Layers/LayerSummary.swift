import Tensors

/// A layer of a network in a table: what it is, what comes out of it, what it costs.
public struct LayerSummary: Sendable {
  /// The path of layer names, joined by dots.
  public var name: String
  /// The kind of layer, by PyTorch's name.
  public var type: String
  /// The item of `--conv` that made it, if one did.
  public var kernel: String?
  /// The shape of its output.
  public var output: FeatureShape
  /// What a forward pass costs in inference.
  public var cost: Cost
  /// The taps of its windows; nil if it has none on a fixed grid.
  public var taps: Taps?

  /// Taps of windows.
  public struct Taps: Sendable {
    /// How many there are.
    public let count: Int
    /// How many read nothing but padding, wherever the window lies.
    public let beyond: Int

    /// Numbers of taps.
    public init(count: Int, beyond: Int) {
      self.count = count
      self.beyond = beyond
    }
  }

  /// A row.
  public init(name: String, type: String, output: FeatureShape, cost: Cost) {
    self.name = name
    self.type = type
    self.output = output
    self.cost = cost
  }
}

extension Layer {
  /// One row.
  public func summaries(_ name: String, for input: FeatureShape) throws -> [LayerSummary] {
    [try summary(name, for: input)]
  }

  /// The row of this layer as a whole.
  public func summary(_ name: String, for input: FeatureShape) throws -> LayerSummary {
    LayerSummary(
      name: name, type: printedName, output: try outputShape(for: input),
      cost: try cost(for: input, pass: .inference))
  }

  /// The name of the type.
  public var printedName: String { String(describing: type(of: self)) }

  /// None by default.
  public var printedArguments: String { "" }

  /// The children by default; what is inside those without a name is printed in their place.
  public var printedChildren: [NamedLayer] {
    children.flatMap { $0.name.isEmpty ? $0.layer.printedChildren : [$0] }
  }

  /// The tree of layers as PyTorch's `print(model)` writes it.
  public var printed: String {
    let children = printedChildren
    guard !children.isEmpty else { return "\(printedName)(\(printedArguments))" }
    let lines =
      (printedArguments.isEmpty ? [] : [printedArguments])
      + children.map { "(\($0.name)): " + $0.layer.printed.split(separator: "\n").joined(separator: "\n  ") }
    return "\(printedName)(\n" + lines.map { "  \($0)\n" }.joined() + ")"
  }
}
