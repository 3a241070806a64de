import Compute
import Layers
import Tensors

/// A deformable convolution whose offsets are parameters, one (vertical, horizontal) pair for each tap.
///
/// They start at zero, and learn at a hundredth of the rate, as predicted offsets do, without weight decay.
final class ActiveLayer: SampledConvolutionLayer {
  let geometry: ConvolutionGeometry
  let algorithm: String
  let combine: Combination
  let weight: Parameter
  let bias: Parameter?
  private let offset: Parameter
  private let convolution: DeformableConvolution
  private var saved: (input: Tensor, plan: SamplingPlan)?

  init(_ site: KernelSite) throws {
    geometry = site.geometry
    combine = site.options.value("combine") == "adder" ? .adder : .multiply
    algorithm = try site.directOrReference()
    var random = site.random
    weight = Parameter(
      combine.initialization.weights(geometry.weightShape, using: &random), layout: .convolution,
      rule: combine.updateRule)
    bias = site.bias ? Parameter(Tensor(repeating: 0, [geometry.outputChannels]), layout: .plain) : nil
    offset = Parameter(
      Tensor(repeating: 0, [2 * geometry.taps]), layout: .plain, decays: false, rateFactor: 0.01)
    convolution = DeformableConvolution(geometry, combine)
  }

  var ownParameters: [NamedParameter] {
    [NamedParameter("weight", weight)] + (bias.map { [NamedParameter("bias", $0)] } ?? [])
      + [NamedParameter("offset.taps", offset)]
  }

  var printedName: String { "ActiveConv2d" }

  var printedArguments: String { geometry.printed(bias: bias != nil) }

  var hasOwnGradients: Bool { combine == .adder }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.count / max(input.batch, 1) <= Int(Int32.max) else {
      throw WorkbenchError("active takes images of fewer than 2³¹ elements, not \(input).")
    }
    return try geometry.outputShape(for: input)
  }

  /// Backward, beside products and samples, the sum of the offsets' gradients over all pixels.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input), isBackward = pass == .backward
    var cost = try sampledCost(for: input, pass: pass, masked: false)
    cost.parameters = parameterCount
    cost.adds += isBackward ? output.pixels * offset.value.count : 0
    cost.bytes = (isBackward ? 2 : 1) * 4 * (input.count + parameterCount + output.count)
    return cost
  }

  /// The taps' offsets at every output pixel.
  func offsets(_ input: FeatureShape) -> Tensor {
    let output = geometry.checkedOutput(input), row = offset.value
    var all = Tensor(uninitialized: [output.batch, output.height, output.width, row.count])
    row.withPointer { row in
      all.withMutablePointer { all in
        for pixel in 0..<output.pixels {
          (all + pixel * 2 * geometry.taps).update(from: row, count: 2 * geometry.taps)
        }
      }
    }
    return all
  }

  func forward(_ input: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor {
    let plan = SamplingPlan(
      geometry, input: FeatureShape(input), offset: offsets(FeatureShape(input)), mask: nil,
      threads: context.threads)
    if context.training { saved = (input, plan) }
    if algorithm == "reference" {
      return Tensor(reference(Tensor64(input), ownParameters.map { Tensor64($0.parameter.value) }))
    }
    return convolution.forward(input, plan, filter, finish, context)
  }

  func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let (input, plan) = saved.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    bias?.gradient = biasGradient(gradient, threads: context.threads)
    if algorithm == "reference" {
      let found = referenceBackward(
        Tensor64(input), ownParameters.map { Tensor64($0.parameter.value) }, Tensor64(gradient))
      weight.gradient = Tensor(found.weight)
      offset.gradient = Tensor(found.offset)
      return Tensor(found.input)
    }
    let found = convolution.backward(gradient, input, plan, weight, hasMask: false, context)
    weight.gradient = found.weight
    // What all positions share gets the sum of their gradients.
    offset.gradient = biasGradient(found.offset, threads: context.threads)
    return found.input
  }

  /// The offsets of `parameters` at every output pixel.
  private func referenceOffsets(_ input: Tensor64, _ parameters: [Tensor64]) -> Tensor64 {
    let row = parameters[parameters.count - 1].values
    return Tensor64(geometry.referenceOutput(input.shape).dropLast() + [row.count]) { row[$3] }
  }

  /// Takes offsets as a deformable convolution does, for one pixel: 2 · taps of them.
  func bind(_ operands: Operands) throws {
    try bindPositions(operands, offset)
    try bindWeights(operands)
  }

  var operandGradients: Operands {
    Operands(weight: weight.gradient, bias: bias?.gradient, offset: positionGradient(offset))
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64]) -> Tensor64 {
    DeformableReference.forward(
      input, offset: referenceOffsets(input, parameters), mask: nil, parameters[0],
      bias == nil ? nil : parameters[1], geometry, combine)
  }

  private func referenceBackward(_ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64)
    -> (input: Tensor64, weight: Tensor64, offset: Tensor64)
  {
    let found = DeformableReference.backward(
      input, offset: referenceOffsets(input, parameters), mask: nil, parameters[0], gradient, geometry,
      combine)
    return (found.x, found.w, referenceBiasGradient(found.offset))
  }

  func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? {
    let found = referenceBackward(input, parameters, gradient)
    return ReferenceGradients(
      input: found.input,
      parameters: [found.weight] + (bias == nil ? [] : [referenceBiasGradient(gradient)]) + [found.offset])
  }
}
