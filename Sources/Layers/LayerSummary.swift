import Tensors

/// A layer of a network in a table: its kind, its output and its cost.
package struct LayerSummary: Sendable {
  /// The path of layer names, joined by dots.
  package var name: String
  /// The kind of layer, by PyTorch's name.
  package var type: String
  /// The item of `--conv` that made it, if one did.
  package var kernel: String?
  /// The shape of its output.
  package var output: FeatureShape
  /// What a forward pass costs in inference.
  package var cost: Cost
  /// The taps of its windows; nil if it has none on a fixed grid.
  package var taps: Taps?
  /// Both forms of a layer that merges branches in inference; nil for others.
  package var forms: Forms?

  /// The cost of a layer in training, and of what replaces it in inference.
  package struct Forms: Sendable {
    /// Its forward pass in training.
    package let branches: Cost
    /// The single layer that replaces its branches, with its own parameters.
    package let merged: Cost

    /// Two forms.
    package init(branches: Cost, merged: Cost) {
      self.branches = branches
      self.merged = merged
    }
  }

  /// Taps of windows.
  package struct Taps: Sendable {
    /// How many there are.
    package let count: Int
    /// How many read only padding, wherever the window is.
    package let beyond: Int

    /// Numbers of taps.
    package init(count: Int, beyond: Int) {
      self.count = count
      self.beyond = beyond
    }
  }

  /// A row.
  package init(name: String, type: String, output: FeatureShape, cost: Cost) {
    self.name = name
    self.type = type
    self.output = output
    self.cost = cost
  }
}

/// A layer with windows on a fixed grid.
package protocol HasWindows: Layer {
  /// The taps of its windows; nil if it has none on a fixed grid.
  func taps(for input: FeatureShape) throws -> LayerSummary.Taps?
}

/// A layer that merges branches in inference.
package protocol MergesBranches: Layer {
  /// What both forms cost; nil if it merges none.
  func forms(for input: FeatureShape) throws -> LayerSummary.Forms?
  /// The parameters that it has fewer of after merging.
  var parametersMergedAway: Int { get }
}

extension LayerSummary {
  /// A row for a layer of this name, or for each of those that it consists of if it is a container, in the order in which
  /// they run.
  package static func rows(of layer: any Layer, _ name: String = "", for input: FeatureShape) throws
    -> [LayerSummary]
  {
    guard let container = layer as? any Container else {
      var row = LayerSummary(
        name: name, type: layer.typeName, output: try layer.outputShape(for: input),
        cost: try layer.cost(for: input, pass: .inference))
      row.taps = try (layer as? any HasWindows)?.taps(for: input)
      row.forms = try (layer as? any MergesBranches)?.forms(for: input)
      return [row]
    }
    return try container.steps(for: input).flatMap { step in
      switch step {
      case .layer(let part, let input): try rows(of: part.layer, dotted(name, shownName(part)), for: input)
      case .operation(let own):
        [
          LayerSummary(
            name: dotted(name, own.name), type: own.type, output: own.output, cost: own.cost(.inference))
        ]
      }
    }
  }
}

/// The name of a part in tables: of one without a name that is no layer of its own, such as a ReLU, its kind.
private func shownName(_ part: NamedLayer) -> String {
  let isFunction = part.name.isEmpty && part.layer.children.isEmpty && part.layer.ownState.isEmpty
  return isFunction ? part.layer.typeName.lowercased() : part.name
}
