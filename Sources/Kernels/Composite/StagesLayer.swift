import Layers
import Tensors

/// A kernel that is composed of several convolutions, which have a weight each.
protocol ComposedKernel: Kernel {}

extension ComposedKernel {
  /// There is no one weight to be given.
  func site(for request: OperatorRequest) throws -> KernelSite {
    throw WorkbenchError(
      "\(name) is composed of several convolutions; apply them one after the other, each with its own weight."
    )
  }
}

/// A kernel that consists of others, one behind the other, with a ReLU between them or not.
///
/// Only the last has the bias, if there is one.
public final class StagesLayer: KernelLayer {
  /// One of its kernels: its name among the parameters, and its geometry.
  public struct Stage: Sendable {
    /// For example `depthwise`: its weight is then `depthwise.weight`.
    public var name: String
    /// Its geometry.
    public var geometry: ConvolutionGeometry

    /// A stage.
    public init(_ name: String, _ geometry: ConvolutionGeometry) {
      self.name = name
      self.geometry = geometry
    }
  }

  /// What it can be computed by; auto: each stage by what suits its shape.
  static let algorithms = ["auto", "direct", "reference"]

  public let geometry: ConvolutionGeometry
  private let stages: [(name: String, layer: ConvolutionLayer)]
  private let rectifies: Bool
  private var rectifiers: [ReLU]

  /// The layers of some stages.
  ///
  /// - Parameters:
  ///   - site: where the whole stands.
  ///   - rectifies: whether a ReLU stands between them.
  public init(_ site: KernelSite, _ stages: [Stage], rectifies: Bool) throws {
    geometry = site.geometry
    self.stages = try stages.enumerated().map { index, stage in
      let inner = KernelSite(
        geometry: stage.geometry, bias: site.bias && index == stages.count - 1, algorithm: site.algorithm,
        random: site.random.split(stage.name))
      return (stage.name, try ConvolutionLayer(inner, algorithms: ConvolutionAlgorithms.stages))
    }
    self.rectifies = rectifies
    rectifiers = stages.dropFirst().map { _ in ReLU() }
  }

  public var algorithm: String { stages[0].layer.algorithm }

  public var children: [(name: String, layer: any Layer)] { stages.map { ($0.name, $0.layer) } }

  public var printedName: String { "Stages" }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try stages.reduce(input) { try $1.layer.outputShape(for: $0) }
  }

  public func cost(for input: FeatureShape) throws -> Cost {
    var shape = input, cost = Cost()
    for (index, stage) in stages.enumerated() {
      if rectifies && index > 0 { cost = cost + ReLU().cost(for: shape) }
      cost = cost + (try stage.layer.cost(for: shape))
      shape = try stage.layer.outputShape(for: shape)
    }
    return cost
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    guard context.training else { return infer(input, .none, context) }
    var y = stages[0].layer.forward(input, context)
    for (stage, relu) in zip(stages.dropFirst(), rectifiers) {
      y = stage.layer.forward(rectifies ? relu.forward(y, context) : y, context)
    }
    return y
  }

  /// The ReLUs are taken while the stages store their outputs.
  public func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    var y = input
    for stage in stages.dropLast() { y = stage.layer.infer(y, Epilogue(relu: rectifies), context) }
    return stages[stages.count - 1].layer.infer(y, epilogue, context)
  }

  public func backward(_ gradient: consuming Tensor, _ context: Context) -> Tensor {
    var inner = context
    inner.skipsInputGradient = false
    var g = gradient
    for index in stages.indices.dropFirst().reversed() {
      g = stages[index].layer.backward(consume g, inner)
      if rectifies { g = rectifiers[index - 1].backward(consume g, context) }
    }
    return stages[0].layer.backward(consume g, context)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64]) -> Tensor64 {
    inputs(input, parameters).last ?? input
  }

  public func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? {
    let inputs = inputs(input, parameters)
    var g = gradient, found: [Tensor64] = []
    for (index, own) in parametersByStage(parameters).enumerated().reversed() {
      guard let step = stages[index].layer.referenceGradients(inputs[index], own, g) else { return nil }
      found = step.parameters + found
      g = step.input
      // What a ReLU has let through is positive.
      if rectifies && index > 0 {
        for (place, value) in inputs[index].values.enumerated() where value <= 0 { g.values[place] = 0 }
      }
    }
    return ReferenceGradients(input: g, parameters: found)
  }

  /// What each stage reads, and what the last gives.
  private func inputs(_ input: Tensor64, _ parameters: [Tensor64]) -> [Tensor64] {
    var inputs = [input]
    for (index, own) in parametersByStage(parameters).enumerated() {
      var y = stages[index].layer.reference(inputs[index], own)
      if rectifies && index < stages.count - 1 { y.values = y.values.map { max($0, 0) } }
      inputs.append(y)
    }
    return inputs
  }

  private func parametersByStage(_ parameters: [Tensor64]) -> [[Tensor64]] {
    var rest = parameters[...]
    return stages.map { stage in
      let count = stage.layer.parameters.count
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
  }
}
