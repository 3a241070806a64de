import Compute
import Tensors

/// Layers side by side, whose outputs are summed or stand behind one another as channels.
public final class Branches: Container, HoldsDecisions {
  /// How the outputs are joined.
  public enum Join: Sendable {
    /// They are added; all must have one shape.
    case sum
    /// Their channels follow one another; all must have one size.
    case concatenation
  }

  /// The branches and their names.
  public let children: [NamedLayer]
  public let printedName: String
  private let join: Join
  /// The channels that each branch reads; nil where each reads all.
  private let inputs: [Int]?
  private var widths: [Int] = []

  /// Branches of named layers.
  ///
  /// - Parameter inputs: how many channels each branch reads, one behind the other, for networks of several inputs;
  ///   nil where each reads all.
  /// - Parameter printedName: what PyTorch calls this kind of branches.
  public init(
    _ children: [NamedLayer], join: Join, inputs: [Int]? = nil, printedName: String = "Branches"
  ) {
    precondition(!children.isEmpty && inputs?.count ?? children.count == children.count)
    self.children = children
    self.printedName = printedName
    self.join = join
    self.inputs = inputs
  }

  /// What each branch reads of an input.
  private func shares(_ input: FeatureShape) -> [FeatureShape] {
    children.indices.map { index in
      var share = input
      share.channels = inputs?[index] ?? input.channels
      return share
    }
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    if let inputs, inputs.reduce(0, +) != input.channels {
      throw WorkbenchError(
        "The branches read \(inputs.map(String.init).joined(separator: " + ")) channels, not \(input.channels)."
      )
    }
    let outputs = try zip(children, shares(input)).map { try $0.0.layer.outputShape(for: $0.1) }
    var result = outputs[0]
    if join == .concatenation { result.channels = outputs.reduce(0) { $0 + $1.channels } }
    for output in outputs {
      var size = output
      if join == .concatenation { size.channels = result.channels }
      guard size == result else {
        throw WorkbenchError(
          "Branches give \(outputs[0]) and \(output): their sizes must be equal; use padding that keeps the size."
        )
      }
    }
    try Tensor.checkSize(result.extents, "The output of the branches")
    return result
  }

  /// Beside the branches: each output is read and written once more when they are joined. Backward, what is concatenated
  /// is cut again, and the gradients to an input that all read are summed.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input), others = children.count - 1
    let own: Cost
    switch (pass, join) {
    case (.inference, _), (.forward, _): own = joining(output)
    case (.backward, .sum): own = Cost(adds: inputs == nil ? others * input.count : 0)
    case (.backward, .concatenation):
      own = Cost(adds: inputs == nil ? others * input.count : 0, bytes: 8 * output.count)
    }
    return try zip(children, shares(input)).reduce(own) { $0 + (try $1.0.layer.cost(for: $1.1, pass: pass)) }
  }

  private func joining(_ output: FeatureShape) -> Cost {
    Cost(adds: join == .sum ? (children.count - 1) * output.count : 0, bytes: 8 * output.count)
  }

  public func summaries(_ name: String, for input: FeatureShape) throws -> [LayerSummary] {
    let rows = try zip(children, shares(input)).flatMap { try Layers.summaries(name, $0.0, for: $0.1) }
    let output = try outputShape(for: input), isSum = join == .sum
    return rows + [
      LayerSummary(
        name: dotted(name, isSum ? "add" : "concat"), type: isSum ? "Add" : "Concat", output: output,
        cost: joining(output))
    ]
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shares = split(input), names = children
    func output(_ index: Int) -> Tensor {
      let layer = names[index].layer
      return layer.profiled(names[index].name, shares[index], context) { layer.forward($0, context) }
    }
    switch join {
    case .sum:
      var result = output(0)
      for index in children.indices.dropFirst() { result.add(output(index), threads: context.threads) }
      return result
    case .concatenation:
      let outputs = children.indices.map(output)
      if context.training { widths = outputs.map { $0.shape[3] } }
      return Tensor.concatenated(outputs)
    }
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    let gradients = join == .sum ? children.map { _ in gradient } : gradient.channelSlices(widths)
    if inputs != nil {
      if context.skipsInputGradient {
        for (child, gradient) in zip(children, gradients) { _ = child.layer.backward(gradient, context) }
        return Tensor(uninitialized: [0])
      }
      return .concatenated(zip(children, gradients).map { $0.0.layer.backward($0.1, context) })
    }
    var inner = context
    inner.skipsInputGradient = context.skipsInputGradient && children.count == 1
    var result = children[0].layer.backward(gradients[0], inner)
    for (child, gradient) in zip(children, gradients).dropFirst() {
      result = child.layer.backward(gradient, adding: result, inner)
    }
    return result
  }

  private func split(_ input: Tensor) -> [Tensor] {
    guard let inputs else { return children.map { _ in input } }
    return input.channelSlices(inputs)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    var first = 0
    let outputs = zip(children.indices, byChild(parameters)).map { index, own in
      let count = inputs?[index] ?? input.shape[3], start = first
      if inputs != nil { first += count }
      let share = Tensor64(input.shape.dropLast() + [count]) { input[$0, $1, $2, start + $3] }
      return children[index].layer.reference(share, own, training: training)
    }
    if join == .sum { return outputs.dropFirst().reduce(outputs[0], +) }
    let places = outputs.enumerated().flatMap { branch in
      (0..<branch.element.shape[3]).map { (branch.offset, $0) }
    }
    return Tensor64(outputs[0].shape.dropLast() + [places.count]) {
      outputs[places[$3].0][$0, $1, $2, places[$3].1]
    }
  }
}

extension Tensor {
  /// Feature maps of one size, their channels behind one another.
  public static func concatenated(_ parts: [Tensor]) -> Tensor {
    let widths = parts.map { $0.shape[3] }, channels = widths.reduce(0, +)
    var result = Tensor(uninitialized: parts[0].shape.dropLast() + [channels])
    let pixels = result.count / max(channels, 1)
    result.withMutablePointer { target in
      var first = 0
      for (part, width) in zip(parts, widths) {
        part.withPointer { source in
          for pixel in 0..<pixels {
            (target + pixel * channels + first).update(from: source + pixel * width, count: width)
          }
        }
        first += width
      }
    }
    return result
  }

  /// The channels of feature maps, cut into parts of the given widths.
  func channelSlices(_ widths: [Int]) -> [Tensor] {
    let channels = shape[3], pixels = count / max(channels, 1)
    var first = 0
    return widths.map { width in
      var part = Tensor(uninitialized: shape.dropLast() + [width])
      withPointer { source in
        part.withMutablePointer { target in
          for pixel in 0..<pixels {
            (target + pixel * width).update(from: source + pixel * channels + first, count: width)
          }
        }
      }
      first += width
      return part
    }
  }
}
