import Compute
import Tensors

/// Layers one after the other.
public final class Sequential: Chain, HoldsDecisions {
  /// The layers and their names, first to last.
  public let children: [NamedLayer]
  public let printedName: String

  /// A layer with the normalisation and the ReLU that come right behind it.
  private struct Step {
    let name: String
    let layer: any Layer
    var normalization: BatchNormalization?
    var relu: ReLU?

    /// In training, the normalisation does the ReLU's work too.
    func forward(_ input: Tensor, _ context: Context) -> Tensor {
      context.observer?.enter(layer)
      let y = layer.forward(input, context)
      context.observer?.leave(layer, output: y)
      guard let normalization else { return relu?.forward(y, context) ?? y }
      if let relu, context.decisions != nil {
        return relu.forward(normalization.forward(y, context), context)
      }
      let z = normalization.forward(y, relu: relu != nil, context)
      if let relu { context.report(rectified: z, of: relu) }
      return z
    }

    func backward(_ gradient: consuming Tensor, adding summand: Tensor?, _ context: Context) -> Tensor {
      var g = gradient
      // Held decisions are the ReLU's own.
      if let relu, normalization == nil || context.decisions != nil { g = relu.backward(consume g, context) }
      if let normalization { g = normalization.backward(consume g, context) }
      context.observer?.enter(layer, gradient: g)
      defer { context.observer?.leave(layer) }
      guard let summand else { return layer.backward(consume g, context) }
      return layer.backward(consume g, adding: summand, context)
    }
  }
  private let steps: [Step]

  /// A sequence of named layers.
  ///
  /// - Parameter printedName: what PyTorch calls this kind of sequence.
  public init(_ children: [NamedLayer], printedName: String = "Sequential") {
    self.children = children
    self.printedName = printedName
    var steps: [Step] = []
    for child in children {
      if let last = steps.last, last.relu == nil {
        if let normalization = child.layer as? BatchNormalization, last.normalization == nil {
          steps[steps.count - 1].normalization = normalization
          continue
        }
        if let relu = child.layer as? ReLU {
          steps[steps.count - 1].relu = relu
          continue
        }
      }
      steps.append(Step(name: child.name, layer: child.layer))
    }
    self.steps = steps
  }

  /// A sequence whose layers are named 0, 1, … as in PyTorch's `Sequential`.
  public convenience init(numbered layers: [any Layer], printedName: String = "Sequential") {
    self.init(layers.enumerated().map { (String($0.offset), $0.element) }, printedName: printedName)
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try children.reduce(input) { try $1.layer.outputShape(for: $0) }
  }

  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    var shape = input, cost = Cost()
    for child in children {
      cost = cost + (try child.layer.cost(for: shape, pass: pass))
      shape = try child.layer.outputShape(for: shape)
    }
    return cost
  }

  public func summaries(_ name: String, for input: FeatureShape) throws -> [LayerSummary] {
    var shape = input, rows: [LayerSummary] = []
    for child in children {
      rows += try Layers.summaries(name, child, for: shape)
      shape = try child.layer.outputShape(for: shape)
    }
    return rows
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    guard context.training else { return infer(input, .none, context) }
    return steps.reduce(input) { $1.forward($0, context) }
  }

  /// Runs each layer together with the normalisation and the ReLU behind it, the last with `epilogue` too.
  public func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    var x = input, rest = epilogue
    for (index, step) in steps.enumerated() {
      var own = Epilogue(normalization: step.normalization, relu: step.relu != nil)
      if index == steps.count - 1, !own.relu, rest.normalization == nil || own.normalization == nil {
        own = Epilogue(
          normalization: own.normalization ?? rest.normalization, residual: rest.residual, relu: rest.relu)
        rest = .none
      }
      x = step.layer.profiled(step.name, x, context) { step.layer.infer($0, own, context) }
    }
    return rest.applied(to: x, context)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    zip(children, byChild(parameters)).reduce(input) { x, next in
      next.0.layer.reference(x, next.1, training: training)
    }
  }

  public func backward(_ gradient: consuming Tensor, _ context: Context) -> Tensor {
    backward(gradient, summand: nil, context)
  }

  public func backward(_ gradient: consuming Tensor, adding summand: Tensor, _ context: Context) -> Tensor {
    guard !steps.isEmpty else { return .sum(gradient, summand, threads: context.threads) }
    return backward(gradient, summand: summand, context)
  }

  /// Only the first layer may skip its input's gradient, or add to it.
  private func backward(_ gradient: consuming Tensor, summand: Tensor?, _ context: Context) -> Tensor {
    var inner = context
    inner.skipsInputGradient = false
    var g = gradient
    for (index, step) in steps.enumerated().reversed() {
      g = step.backward(consume g, adding: index == 0 ? summand : nil, index == 0 ? context : inner)
    }
    return g
  }
}

/// A layer whose time is that of the layers it consists of.
public protocol Container: Layer {}

extension Layer {
  /// Runs this layer under its name in the context's profile, if there is one.
  func profiled(_ name: String, _ input: Tensor, _ context: Context, _ body: (Tensor) -> Tensor) -> Tensor {
    guard let profile = context.profile else { return body(input) }
    return self is any Container
      ? profile.enter(name) { body(input) } : profile.time(name, self, input, context) { body(input) }
  }
}
