import Compute
import Layers
import Tensors

/// An operator made of its four answers: a sampling, a combination, weights, and algorithms to choose from.
///
/// The filter is `[kernel height, kernel width, input channels / groups, output channels]` in memory, OIHW in files.
public final class ConvolutionLayer: KernelLayer, TakesOperands, ChoosesAlgorithm, TorchPrinted,
  HoldsDecisions
{
  public let geometry: ConvolutionGeometry
  /// Where it reads.
  public let sampling: any Sampling
  /// How x and w meet.
  public let combination: any Combination
  /// Where the weights come from.
  public let weights: any Weights
  /// The bias, one for each output channel, if there is one.
  public let bias: Parameter?
  let choice: AlgorithmChoice
  /// Whether the kernel is defined in the frequency domain, not just computed there: its counts are then those of the
  /// transforms.
  let countsFourier: Bool
  private var saved = Saved<(input: Tensor, plan: any SamplingPlan)>()
  /// With decisions held: the terms, if they are not products, and what they read.
  private var held: (terms: HeldTerms, columns: Tensor)?

  /// A layer for a site, by default the plain convolution.
  ///
  /// - Parameters:
  ///   - site: its geometry, bias, algorithm and random numbers.
  ///   - sampling: by default the geometry's own grid.
  ///   - combination: by default the product.
  ///   - weights: by default learned and used unchanged, with the combination's initialisation.
  ///   - transform: how the filter is made from learned weights, if they are not used unchanged.
  ///   - algorithms: the algorithms that it may use.
  ///   - initialization: the rule for initial weights; by default the combination's.
  ///   - rateFactor: a factor on the learning rate of learned weights and the bias.
  ///   - countsFourier: whether its counts are those of the frequency domain, whatever computes it.
  public init(
    _ site: KernelSite, sampling: (any Sampling)? = nil, combination: any Combination = Product(),
    weights: (any Weights)? = nil, transform: (any FilterTransform)? = nil, algorithms: Algorithms = .builtIn,
    initialization: Initialization? = nil, rateFactor: Double = 1, countsFourier: Bool = false
  ) throws {
    let geometry = site.geometry, sampling = sampling ?? RegularGrid(site.geometry)
    self.geometry = geometry
    self.sampling = sampling
    self.combination = combination
    self.countsFourier = countsFourier
    var random = site.random
    func learned() -> Parameter {
      Parameter(
        (initialization ?? combination.initialization).weights(geometry.weightShape, using: &random),
        layout: .convolution, rule: combination.updateRule, rateFactor: rateFactor)
    }
    self.weights =
      weights ?? transform.map { TransformedWeights(learned(), $0) } ?? LearnedWeights(learned())
    bias =
      site.bias
      ? Parameter(
        Tensor(repeating: 0, [geometry.outputChannels]), layout: .plain, rateFactor: rateFactor, role: .bias)
      : nil
    if !combination.isProduct { for named in self.weights.ownParameters { named.parameter.role = .term } }
    let operation = Operation(geometry, combination, readsRegularGrid: sampling.isRegularGrid)
    if countsFourier, let reason = Fourier().refusal(operation, .forward, nil) {
      throw WorkbenchError(reason)
    }
    choice = try AlgorithmChoice(operation, algorithms, requested: site.algorithm)
  }

  /// The filter; the weight itself if weights are used unchanged.
  public var weight: Parameter { weights.filter }

  public var ownState: [NamedParameter] {
    weights.ownParameters + (bias.map { [NamedParameter("bias", $0)] } ?? []) + sampling.ownParameters
  }

  public var children: [NamedLayer] { sampling.children }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = try geometry.outputShape(for: input)
    try sampling.check(input, output: output)
    try choice.check(input)
    return output
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    weights.prepare(context)
    let plan = sampling.plan(for: input, context)
    saved.keep((input, plan), context)
    func output() -> Tensor { run(input, plan, Filter(weight), Epilogue(bias: bias?.value), context) }
    guard let decisions = context.decisions, !combination.isProduct else { return output() }
    let columns = plan.columns(geometry, input, threads: context.threads)
    let terms = decisions.made(by: self) {
      HeldTerms(geometry, combination, columns: columns, weight: weight.value, output: output())
    }
    held = (terms, columns)
    return terms.forward(columns, weight.value, threads: context.threads)
  }

  /// The definition knows nothing of held positions.
  public var holdsDecisions: Bool {
    weights.holdsDecisions && sampling.holdsDecisions
      && combination.derivatives(0, 0, decidedAt: 0, 0) != nil
      && (sampling.isRegularGrid || choice.requested?.isDefinition != true)
  }

  /// A normalisation's scale is multiplied into the weights if the terms are products.
  public func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    if !combination.isProduct, epilogue.normalization != nil {
      return epilogue.applied(to: forward(input, context), context)
    }
    weights.prepare(context)
    let filter = Filter(weight, normalization: epilogue.normalization)
    return run(
      input, sampling.plan(for: input, context), filter, epilogue.folded(into: filter, bias: bias?.value),
      context)
  }

  private func run(
    _ input: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    // The engine starts its sums from the bias; a maximum starts from −∞, and the bias is added to it.
    guard combination.reduction == .maximum, epilogue.bias != nil else {
      return choice.forward(input, plan, filter, epilogue, context)
    }
    return epilogue.applied(to: choice.forward(input, plan, filter, .none, context), context)
  }

  public func backward(_ gradient: Tensor, input wanted: InputGradient, _ context: Context) -> Tensor {
    let (input, plan) = saved.take()
    bias?.gradient = biasGradient(gradient, threads: context.threads)
    if let (terms, columns) = held.take() {
      let found = terms.backward(gradient, columns, weight.value, threads: context.threads)
      weights.backward(found.weight)
      let dx = plan.inputGradient(found.columns, geometry, input, threads: context.threads)
      return plan.backward(wanted.total(dx, threads: context.threads), context)
    }
    let shape = FeatureShape(input)
    weights.backward(
      choice.passes(shape, .weightGradient, context).weightGradient(gradient, input, plan, weight, context))
    // The positions' gradients are computed with that to the input.
    if !wanted.isNeeded && sampling.isRegularGrid { return InputGradient.nothing }
    let dx = choice.passes(shape, .inputGradient, context)
      .inputGradient(gradient, input, plan, weight, adding: wanted.summand, context)
    return plan.backward(dx, context)
  }

  public var algorithm: String { choice.requested?.name ?? "auto" }

  public func algorithm(for input: FeatureShape, _ pass: Pass, _ context: Context) -> String? {
    choice.algorithm(input, pass, context).name
  }

  public func refusal(of algorithm: String, for input: FeatureShape) -> String? {
    algorithm == "auto" ? nil : choice.refusal(of: algorithm, for: input)
  }

  public func isExactOnIntegers(_ algorithm: String) -> Bool { choice.isExactOnIntegers(algorithm) }

  public func bind(_ operands: Operands) throws {
    try sampling.bind(operands)
    try bindWeights(operands)
  }

  public var operandGradients: Operands {
    var gradients = sampling.operandGradients
    let learned = weights.ownParameters.first { $0.name == "weight" }
    gradients.weight = learned?.parameter.gradient
    gradients.bias = bias?.gradient
    return gradients
  }

  public var printedName: String {
    sampling.printedPrefix + weights.printedPrefix + (countsFourier ? "FFT" : "") + combination.printedStem
      + "2d"
  }

  public var printedArguments: String { geometry.printed(bias: bias != nil) }
}

// What it costs.
extension ConvolutionLayer {
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input)
    var cost =
      countsFourier
      ? try FourierTiles.cost(geometry, input, pass: pass)
      : weights.cost(
        combination.cost(terms: try geometry.terms(input), pass: pass), count: try geometry.terms(input),
        outputs: output.count, pass: pass)
    let positions = try sampling.cost(for: input, pass: pass)
    cost = cost + positions
    cost.parameters = parameterCount
    // The bias is added to each output; backward, its gradient is summed over them.
    cost.adds += bias == nil ? 0 : output.count
    let once = 4 * (input.count + parameterCount + output.count) + positions.bytes
    cost.bytes = pass == .backward ? 2 * once : once
    return cost
  }
}

// Its definition in double precision.
extension ConvolutionLayer {
  public var hasOwnGradients: Bool { combination.hasOwnGradients || weights.hasOwnGradients }
  public var isExactOnIntegers: Bool {
    weights.isExactOnIntegers
      && children.allSatisfy { ($0.layer as? any Defined)?.isExactOnIntegers ?? false }
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let parts = split(parameters), definition = definition(input, parts)
    let filter = weights.definition(parts.weights), y = definition.forward(input, filter, parts.bias)
    if !combination.isProduct {
      _ = Decisions.ofDefinition?.made(by: self) {
        HeldTerms(
          geometry, combination, columns: definition.columns(input), weight: Tensor(filter),
          output: Tensor(y))
      }
    }
    return y
  }

  public func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? {
    let parts = split(parameters)
    let own = definition(input, parts).backward(input, weights.definition(parts.weights), gradient)
    let positions = sampling.definitionGradients(input, parts.sampling, own.positions)
    return ReferenceGradients(
      input: positions.input.map { own.x + $0 } ?? own.x,
      parameters: weights.definitionGradients(parts.weights, own.w)
        + (bias == nil ? [] : [Definition.biasGradient(gradient)]) + positions.parameters)
  }

  private typealias Parts = (weights: [Tensor64], bias: Tensor64?, sampling: [Tensor64])

  private func definition(_ input: Tensor64, _ parts: Parts) -> Definition {
    Definition(geometry, combination, sampling.definition(input, parts.sampling))
  }

  /// The parameters' values as those of the weights, the bias and the sampling.
  private func split(_ parameters: [Tensor64]) -> Parts {
    let count = weights.ownParameters.count, first = count + (bias == nil ? 0 : 1)
    return (
      Array(parameters[..<count]), bias == nil ? nil : parameters[count], Array(parameters[first...])
    )
  }
}

/// The gradient to a bias: the sum of an NHWC gradient over images and pixels.
func biasGradient(_ gradient: Tensor, threads: Int) -> Tensor {
  let channels = gradient.shape[3]
  let sums = gradient.withPointer {
    channelSum($0, rows: gradient.count / channels, channels: channels, threads: threads)
  }
  return Tensor(sums.map(Float.init), [channels])
}
