import Compute
import Layers
import Tensors

/// A convolution or one of its relatives with a regular grid: a geometry, a way to combine, an algorithm.
///
/// The weight is `[kernel height, kernel width, input channels / groups, output channels]` in memory, OIHW in files.
public final class ConvolutionLayer: KernelLayer {
  public let geometry: ConvolutionGeometry
  /// How x and w meet.
  public let combine: Combination
  /// The weight, HWIO.
  public let weight: Parameter
  /// The bias, one for each output channel, if there is one.
  public let bias: Parameter?
  private let inFrequencyDomain: Bool
  private let implementation: any ConvolutionAlgorithm
  private var input: Tensor?

  /// A layer for a site.
  ///
  /// - Parameters:
  ///   - algorithms: the names it may be asked for, fastest first.
  ///   - inFrequencyDomain: whether the frequency domain is what the operator is about, not just one of its algorithms:
  ///     then its counts are the frequency domain's, whatever computes it.
  ///   - initialization: how weights start; by default as is usual for `combine`.
  ///   - rateFactor: a factor on the learning rate of its parameters.
  public init(
    _ site: KernelSite, combine: Combination = .multiply, algorithms: [String],
    inFrequencyDomain: Bool = false,
    initialization: Initialization? = nil, rateFactor: Double = 1
  ) throws {
    geometry = site.geometry
    self.combine = combine
    var random = site.random
    weight = Parameter(
      (initialization ?? combine.initialization).weights(geometry.weightShape, using: &random),
      layout: .convolution, rule: combine.updateRule, rateFactor: rateFactor)
    bias =
      site.bias
      ? Parameter(
        Tensor(repeating: 0, [geometry.outputChannels]), layout: .plain, rateFactor: rateFactor) : nil
    self.inFrequencyDomain = inFrequencyDomain
    if inFrequencyDomain { try FourierConvolution.check(geometry) }
    implementation = try ConvolutionAlgorithms.make(site.algorithm, from: algorithms, geometry, combine)
  }

  public var algorithm: String { implementation.name }

  public var printedName: String {
    switch combine {
    case .adder: "Adder2d"
    case .multiply: inFrequencyDomain ? "FFTConv2d" : "Conv2d"
    }
  }

  public var printedArguments: String { geometry.printed(bias: bias != nil) }

  public func algorithm(for input: FeatureShape, _ pass: Pass, _ context: Context) -> String? {
    (implementation as? AutomaticConvolution)?.choice(input, pass, context) ?? implementation.name
  }

  public var ownParameters: [NamedParameter] {
    [NamedParameter("weight", weight)] + (bias.map { [NamedParameter("bias", $0)] } ?? [])
  }

  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input)
    var cost =
      inFrequencyDomain
      ? try FourierTiles.cost(geometry, input, pass: pass)
      : combine.cost(terms: try geometry.terms(input), pass: pass)
    cost.parameters = parameterCount
    // The bias is added to each output; backward, its gradient is summed over them.
    cost.adds += bias == nil ? 0 : output.count
    cost.bytes = (pass == .backward ? 2 : 1) * 4 * (input.count + parameterCount + output.count)
    return cost
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    if context.training { self.input = input }
    return implementation.forward(input, Filter(weight), Finish(bias: bias?.value), context)
  }

  public func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    // A scale cannot move into distances.
    if combine == .adder, epilogue.normalization != nil {
      return epilogue.applied(to: forward(input, context), context)
    }
    let filter = Filter(weight, normalization: epilogue.normalization)
    let finish = Finish(epilogue, filter, bias: bias?.value)
    return implementation.forward(input, filter, finish, context)
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    backward(gradient, summand: nil, context)
  }

  public func backward(_ gradient: Tensor, adding summand: Tensor, _ context: Context) -> Tensor {
    backward(gradient, summand: summand, context)
  }

  private func backward(_ gradient: Tensor, summand: Tensor?, _ context: Context) -> Tensor {
    guard let input = input.take() else { preconditionFailure("backward needs a forward pass in training") }
    weight.gradient = implementation.weightGradient(gradient, input, weight, context)
    bias?.gradient = biasGradient(gradient, threads: context.threads)
    if context.skipsInputGradient { return Tensor(uninitialized: [0]) }
    return implementation.inputGradient(gradient, input, weight, adding: summand, context)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64]) -> Tensor64 {
    combine.reference(input, parameters[0], bias == nil ? nil : parameters[1], geometry)
  }

  public func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? {
    let (x, w) = combine.referenceGradients(input, parameters[0], gradient, geometry)
    return ReferenceGradients(
      input: x, parameters: [w] + (bias == nil ? [] : [referenceBiasGradient(gradient)]))
  }

  public var hasOwnGradients: Bool { combine == .adder }
}

/// The gradient to a bias: the sum of an NHWC gradient over images and pixels.
func biasGradient(_ gradient: Tensor, threads: Int) -> Tensor {
  let channels = gradient.shape[3]
  let sums = gradient.withPointer {
    channelSum($0, rows: gradient.count / channels, channels: channels, threads: threads)
  }
  return Tensor(sums.map(Float.init), [channels])
}
