import Compute
import Tensors

/// Layers one after the other.
public final class Sequential: Chain, Defined, TorchPrinted, HoldsDecisions, LeavesLastStep {
  /// The layers and their names, first to last.
  public let children: [NamedLayer]
  public let printedName: String

  /// A layer with the normalisation and the ReLU directly after it.
  private struct Step {
    let name: String
    let layer: any Layer
    /// Whether the layer is a ReLU6.
    let limits: Bool
    var normalization: BatchNormalization?
    var relu: ReLU?

    /// Whether it is a ReLU6 alone, which the layer before it applies in inference.
    var isLimiter: Bool { limits && normalization == nil && relu == nil }

    /// In training, the normalisation applies the ReLU too.
    func forward(_ input: Tensor, _ context: Context) -> Tensor {
      let y = context.run((name, layer), input)
      guard let normalization else { return relu?.forward(y, context) ?? y }
      if let relu, context.decisions != nil {
        return relu.forward(normalization.forward(y, context), context)
      }
      let z = normalization.forward(y, relu: relu != nil, context)
      if let relu { context.report(rectified: z, of: relu) }
      return z
    }

    func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
      var g = gradient
      // Held decisions are the ReLU's own.
      if let relu, normalization == nil || context.decisions != nil { g = relu.backward(consume g, context) }
      if let normalization { g = normalization.backward(consume g, context) }
      return context.runBackward(layer, consume g, input: input)
    }
  }
  private typealias InferredStep = (step: Step, epilogue: Epilogue)
  private let steps: [Step]
  package let mayComputeBands: Bool

  /// A sequence of named layers; `printedName` is what PyTorch calls this kind of sequence.
  public init(_ children: [NamedLayer], printedName: String = "Sequential") {
    self.children = children
    self.printedName = printedName
    var steps: [Step] = []
    for child in children {
      var limits = false
      switch (child.layer as? any EpiloguePart)?.part {
      case .normalization(let normalization):
        if let last = steps.last, last.relu == nil, last.normalization == nil {
          steps[steps.count - 1].normalization = normalization
          continue
        }
      case .rectifier(let relu):
        if let last = steps.last, last.relu == nil {
          steps[steps.count - 1].relu = relu
          continue
        }
      case .limiter: limits = true
      case nil: break
      }
      steps.append(Step(name: child.name, layer: child.layer, limits: limits))
    }
    self.steps = steps
    mayComputeBands = steps.allSatisfy { step in
      step.isLimiter || (step.layer as? any ComputesBands)?.mayComputeBands ?? false
    }
  }

  /// A sequence whose layers are named 0, 1, … as in PyTorch's `Sequential`.
  public convenience init(numbered layers: [any Layer], printedName: String = "Sequential") {
    self.init(layers.enumerated().map { (String($0.offset), $0.element) }, printedName: printedName)
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try children.reduce(input) { try $1.layer.outputShape(for: $0) }
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    guard context.training else { return infer(input, .none, context) }
    return steps.reduce(input) { $1.forward($0, context) }
  }

  /// In training, the output before the normalisation at the end, if the last layer is one without a ReLU.
  func forwardUnfinished(_ input: Tensor, _ context: Context) -> Unfinished {
    guard let last = steps.last, let normalization = last.normalization, last.relu == nil,
      context.normalization != .none
    else { return Unfinished(values: forward(input, context)) }
    let x = steps.dropLast().reduce(input) { $1.forward($0, context) }
    let y = context.run((last.name, last.layer), x)
    return Unfinished(
      values: y, function: normalization.trainingFunction(of: y, relu: false, context))
  }

  /// Runs each layer together with the normalisation and the ReLU or ReLU6 after it, the last with `epilogue` too.
  /// Where that spares memory, it computes some rows of all layers before the next rows.
  public func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    let (parts, rest) = inferred(epilogue)
    if context.observer == nil, let passes = bandPasses(for: FeatureShape(input), parts, rest, context) {
      let bands = Bands(passes)
      if bands.areWorthwhile { return bands.run(input, threads: context.threads) }
    }
    let y = parts.reduce(input) { x, part in
      context.run(part.step.name, part.step.layer, x) { part.step.layer.infer($0, part.epilogue, context) }
    }
    return rest.applied(to: y, context)
  }

  /// The layers that inference runs, each with what it applies itself, and what remains after the last.
  private func inferred(_ epilogue: Epilogue) -> (parts: [InferredStep], rest: Epilogue) {
    var parts: [InferredStep] = [], rest = epilogue
    var left = steps[...]
    while let step = left.popFirst() {
      var own = Epilogue(normalization: step.normalization, relu: step.relu != nil)
      if !own.relu, let next = left.first, next.isLimiter {
        own.relu = true
        own.most = ReLU6.most
        left.removeFirst()
      }
      if left.isEmpty, !own.relu, rest.normalization == nil || own.normalization == nil {
        let normalization = own.normalization ?? rest.normalization
        own = rest
        own.normalization = normalization
        rest = .none
      }
      parts.append((step, own))
    }
    return (parts, rest)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    zip(children, byChild(parameters)).reduce(input) { x, next in
      next.0.layer.definition(x, next.1, training: training)
    }
  }

  /// Only the first layer's input is the sequence's own.
  public func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    guard !steps.isEmpty else { return input.total(gradient, threads: context.threads) }
    var g = gradient
    for (index, step) in steps.enumerated().reversed() {
      g = step.backward(consume g, input: index == 0 ? input : .needed, context)
    }
    return g
  }
}

extension Sequential: ComputesBands {
  package func bandPasses(
    for input: FeatureShape, _ epilogue: Epilogue, _ context: Context
  ) -> [any BandPass]? {
    let (parts, rest) = inferred(epilogue)
    return bandPasses(for: input, parts, rest, context)
  }

  private func bandPasses(
    for input: FeatureShape, _ parts: [InferredStep], _ rest: Epilogue, _ context: Context
  ) -> [any BandPass]? {
    guard mayComputeBands, rest.isNone else { return nil }
    var passes: [any BandPass] = []
    for part in parts {
      guard
        let own = (part.step.layer as? any ComputesBands)?
          .bandPasses(for: passes.last?.output ?? input, part.epilogue, context)
      else { return nil }
      passes += own
    }
    return passes
  }
}

extension Sequential: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    try graph.sequence(children, x, shape)
  }
}
