import Compute
import Tensors

/// Layers in parallel, whose outputs are summed, multiplied, or concatenated along the channels.
public final class Branches: Container, Defined, TorchPrinted, HoldsDecisions {
  /// How the outputs are joined.
  public enum Join: Sendable {
    /// They are added; all must have the same shape.
    case sum
    /// They are multiplied elementwise, as in gated convolutions; all must have the same shape.
    case product
    /// Their channels are concatenated; all must have the same size.
    case concatenation
  }

  /// The branches and their names.
  public let children: [NamedLayer]
  public let printedName: String
  private let join: Join
  /// The channels that each branch reads; nil if each reads all.
  private let inputs: [Int]?
  /// What the backward pass needs: the branches' widths for a concatenation, their outputs for a product.
  private var widths = Saved<[Int]>(), factors = Saved<[Tensor]>()

  /// Branches of named layers.
  ///
  /// - Parameters:
  ///   - children: the branches.
  ///   - join: what becomes of their outputs.
  ///   - inputs: how many channels each branch reads, one after the other, for networks of several inputs; nil where
  ///     each reads all.
  ///   - printedName: what PyTorch calls this kind of branches.
  public init(
    _ children: [NamedLayer], join: Join, inputs: [Int]? = nil, printedName: String = "Branches"
  ) {
    precondition(!children.isEmpty && inputs?.count ?? children.count == children.count)
    self.children = children
    self.printedName = printedName
    self.join = join
    self.inputs = inputs
  }

  /// Products of sums of whole numbers outgrow what single precision holds exactly.
  public var isExactOnIntegers: Bool {
    join != .product && children.allSatisfy { ($0.layer as? any Defined)?.isExactOnIntegers ?? false }
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
          "Branches give \(outputs[0]) and \(output), but their sizes must be equal; use padding that keeps the size."
        )
      }
    }
    try Tensor.checkSize(result.extents, "The output of the branches")
    return result
  }

  /// The branches and their joining, which reads and writes each output once more. Backward, concatenated gradients
  /// are split, the gradient of a product is multiplied by the other factors, and the gradients to an input that all
  /// branches read are summed.
  public func steps(for input: FeatureShape) throws -> [ContainerStep] {
    let output = try outputShape(for: input), others = children.count - 1, count = output.count
    let gradients = inputs == nil ? others * input.count : 0
    let (name, type, forward, backward) =
      switch join {
      case .sum: ("add", "Add", Cost(adds: others * count, bytes: 8 * count), Cost())
      case .concatenation: ("concat", "Concat", Cost(bytes: 8 * count), Cost(bytes: 8 * count))
      case .product:
        (
          "multiply", "Mul", Cost(otherOps: others * count, bytes: 8 * count),
          Cost(otherOps: children.count * others * count, bytes: 12 * children.count * others * count)
        )
      }
    let own = ContainerOperation(name: name, type: type, output: output) {
      $0 == .backward ? backward + Cost(adds: gradients) : forward
    }
    return zip(children, shares(input)).map { .layer($0.0, $0.1) } + [.operation(own)]
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shares = split(input, threads: context.threads)
    func output(_ index: Int) -> Tensor { context.run(children[index], shares[index]) }
    switch join {
    case .sum:
      var result = output(0)
      for index in children.indices.dropFirst() { result.add(output(index), threads: context.threads) }
      return result
    case .product:
      let outputs = children.indices.map(output)
      factors.keep(outputs, context)
      return Self.product(outputs, context)
    case .concatenation:
      let outputs = children.indices.map(output)
      widths.keep(outputs.map { $0.shape[3] }, context)
      return Tensor.concatenated(outputs, threads: context.threads)
    }
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let gradients: [Tensor]
    switch join {
    case .sum: gradients = children.map { _ in gradient }
    case .concatenation: gradients = gradient.channelSlices(widths.take(), threads: context.threads)
    case .product:
      let factors = factors.take()
      gradients = factors.indices.map { own in
        Self.product([gradient] + factors.indices.filter { $0 != own }.map { factors[$0] }, context)
      }
    }
    func run(_ index: Int, _ input: InputGradient) -> Tensor {
      context.runBackward(children[index].layer, gradients[index], input: input)
    }
    guard input.isNeeded else {
      for index in children.indices { _ = run(index, .unneeded) }
      return InputGradient.nothing
    }
    if inputs != nil {
      let parts = children.indices.map { run($0, .needed) }
      return input.total(.concatenated(parts, threads: context.threads), threads: context.threads)
    }
    let sum = children.indices.dropFirst().reduce(run(0, .needed)) { run($1, .plus($0)) }
    return input.total(sum, threads: context.threads)
  }

  private static func product(_ factors: [Tensor], _ context: Context) -> Tensor {
    factors.dropFirst().reduce(factors[0]) { $0.times($1, threads: context.threads) }
  }

  private func split(_ input: Tensor, threads: Int) -> [Tensor] {
    guard let inputs else { return children.map { _ in input } }
    return input.channelSlices(inputs, threads: threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    var first = 0
    let outputs = zip(children.indices, byChild(parameters)).map { index, own in
      let count = inputs?[index] ?? input.shape[3], start = first
      if inputs != nil { first += count }
      let share = Tensor64(input.shape.dropLast() + [count]) { input[$0, $1, $2, start + $3] }
      return children[index].layer.definition(share, own, training: training)
    }
    if join == .sum { return outputs.dropFirst().reduce(outputs[0], +) }
    if join == .product {
      return outputs.dropFirst().reduce(outputs[0]) { product, factor in
        Tensor64(product.shape) { product[$0, $1, $2, $3] * factor[$0, $1, $2, $3] }
      }
    }
    let places = outputs.enumerated().flatMap { branch in
      (0..<branch.element.shape[3]).map { (branch.offset, $0) }
    }
    return Tensor64(outputs[0].shape.dropLast() + [places.count]) {
      outputs[places[$3].0][$0, $1, $2, places[$3].1]
    }
  }
}

extension Tensor {
  /// Feature maps of one size, their channels one after another.
  public static func concatenated(_ parts: [Tensor], threads: Int) -> Tensor {
    let channels = parts.reduce(0) { $0 + $1.shape[3] }
    var result = Tensor(uninitialized: parts[0].shape.dropLast() + [channels])
    let pixels = result.count / max(channels, 1)
    result.withMutablePointer { target in
      var first = 0
      for part in parts {
        let width = part.shape[3]
        part.withPointer {
          copyRuns($0, target + first, count: pixels, length: width, threads: threads) {
            ($0 * width, $0 * channels)
          }
        }
        first += width
      }
    }
    return result
  }

  /// The channels of feature maps, cut into parts of the given widths.
  public func channelSlices(_ widths: [Int], threads: Int) -> [Tensor] {
    let channels = shape[3], pixels = count / max(channels, 1)
    var first = 0
    return widths.map { width in
      var part = Tensor(uninitialized: shape.dropLast() + [width])
      withPointer { source in
        part.withMutablePointer { target in
          copyRuns(source + first, target, count: pixels, length: width, threads: threads) {
            ($0 * channels, $0 * width)
          }
        }
      }
      first += width
      return part
    }
  }
}

extension Branches: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    var first = 0
    let outputs = try zip(children, shares(shape)).map { child, share in
      defer { first += share.channels }
      let own = inputs == nil ? x : graph.slice(x, axis: 1, first..<first + share.channels)
      return try graph.layer(child, own, share)
    }
    if join == .concatenation { return graph.concatenated(outputs, axis: 1) }
    return outputs.dropFirst().reduce(outputs[0]) { graph.node(join == .sum ? "Add" : "Mul", [$0, $1]) }
  }
}
