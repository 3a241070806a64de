import Compute
import Foundation
import Layers
import Tensors

/// A deformable convolution with the convolution that predicts its offsets (and masks) from the same input.
///
/// That convolution has the same geometry, a bias, and starts at zero, so that training starts from the regular
/// grid; it learns at a hundredth of the rate, or the offsets run off small images. Its channels are the offsets,
/// (vertical, horizontal) for each offset group and tap, then the masks.
final class DeformableLayer: SampledConvolutionLayer {
  let geometry: ConvolutionGeometry
  let algorithm: String
  private let version: Deformable.Version
  let combine: Combination
  private let maskScale: Float
  private let options: KernelOptions
  private var offsetGroups: Int
  let weight: Parameter
  let bias: Parameter?
  private let predictor: ConvolutionLayer
  private let convolution: DeformableConvolution

  /// Offsets and masks from outside, in place of predicted ones, and their gradients.
  private var given: (offset: Tensor, mask: Tensor?)?
  private var givenGradients: (offset: Tensor, mask: Tensor?)?

  private struct Saved {
    let input: Tensor
    let offset: Tensor
    let mask: Tensor?
    let plan: SamplingPlan
  }
  private var saved: Saved?

  init(_ site: KernelSite, _ version: Deformable.Version) throws {
    geometry = site.geometry
    options = site.options
    self.version = version
    combine = site.options.value("combine") == "adder" ? .adder : .multiply
    maskScale = site.options.value("mask") == "2sigmoid" ? 2 : 1
    offsetGroups = site.options.count("groups")
    guard geometry.inputChannels % offsetGroups == 0 else {
      throw WorkbenchError(
        "\(offsetGroups) offset groups do not divide \(geometry.inputChannels) input channels.")
    }
    algorithm = try site.directOrReference()
    var random = site.random
    weight = Parameter(
      combine.initialization.weights(geometry.weightShape, using: &random), layout: .convolution,
      rule: combine.updateRule)
    bias = site.bias ? Parameter(Tensor(repeating: 0, [geometry.outputChannels]), layout: .plain) : nil
    let channels = offsetGroups * geometry.taps * (version == .v1 ? 2 : 3)
    predictor = try ConvolutionLayer(
      KernelSite(geometry: geometry.with(outputChannels: channels, groups: 1), bias: true, random: random),
      algorithms: ConvolutionAlgorithms.multiply, rateFactor: 0.01)
    predictor.weight.value = Tensor(repeating: 0, predictor.weight.value.shape)
    convolution = DeformableConvolution(geometry, combine)
  }

  var ownParameters: [NamedParameter] {
    [NamedParameter("weight", weight)] + (bias.map { [NamedParameter("bias", $0)] } ?? [])
  }

  var children: [(name: String, layer: any Layer)] { given == nil ? [("offset", predictor)] : [] }

  var printedName: String { combine == .adder ? "DeformAdder2d" : "DeformConv2d" }

  var printedArguments: String { geometry.printed(bias: bias != nil) }

  var hasOwnGradients: Bool { combine == .adder }

  /// Beside products and samples: the predictor, a sigmoid for each mask, and backward its derivative
  /// (m · (1 − m) · g) and the sum of the two gradients to the input.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input), isBackward = pass == .backward
    let slots = output.pixels * geometry.taps * offsetGroups
    var cost = try sampledCost(for: input, pass: pass, masked: version == .v2)
    if given == nil {
      cost = cost + (try predictor.cost(for: input, pass: pass)) + Cost(adds: isBackward ? input.count : 0)
      if version == .v2 {
        cost = cost + (isBackward ? Cost(adds: slots, otherOps: 2 * slots) : Cost(otherOps: slots))
      }
    }
    cost.parameters = parameterCount
    let positions = slots * (version == .v1 ? 2 : 3)
    cost.bytes = (isBackward ? 2 : 1) * 4 * (input.count + parameterCount + output.count + positions)
    return cost
  }

  func forward(_ input: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor {
    let (offset, mask) = offsets(for: input, context)
    if algorithm == "reference" {
      if context.training {
        saved = Saved(input: input, offset: offset, mask: mask, plan: plan(input, offset, mask, context))
      }
      return Tensor(
        DeformableReference.forward(
          Tensor64(input), offset: Tensor64(offset), mask: mask.map { Tensor64($0) }, Tensor64(weight.value),
          bias.map { Tensor64($0.value) }, geometry, combine))
    }
    let plan = plan(input, offset, mask, context)
    if context.training { saved = Saved(input: input, offset: offset, mask: mask, plan: plan) }
    return convolution.forward(input, plan, filter, finish, context)
  }

  /// Offsets and masks, given or predicted.
  func offsets(for input: Tensor, _ context: Context) -> (offset: Tensor, mask: Tensor?) {
    given ?? split(predictor.forward(input, context))
  }

  private func plan(
    _ input: Tensor, _ offset: Tensor, _ mask: Tensor?, _ context: Context
  ) -> SamplingPlan {
    SamplingPlan(geometry, input: FeatureShape(input), offset: offset, mask: mask, threads: context.threads)
  }

  func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let saved = saved.take() else { preconditionFailure("backward needs a forward pass in training") }
    let gradients =
      algorithm == "reference"
      ? referenceBackward(gradient, saved)
      : convolution.backward(
        gradient, saved.input, saved.plan, weight, hasMask: saved.mask != nil, context)
    weight.gradient = gradients.weight
    bias?.gradient = biasGradient(gradient, threads: context.threads)
    if given != nil {
      givenGradients = (gradients.offset, gradients.mask)
      return gradients.input
    }
    let positions = joined(gradients.offset, gradients.mask, saved.mask)
    var inner = context
    inner.skipsInputGradient = false
    return .sum(gradients.input, predictor.backward(positions, inner), threads: context.threads)
  }

  private func referenceBackward(_ gradient: Tensor, _ saved: Saved) -> DeformableConvolution.Gradients {
    let found = DeformableReference.backward(
      Tensor64(saved.input), offset: Tensor64(saved.offset), mask: saved.mask.map { Tensor64($0) },
      Tensor64(weight.value), Tensor64(gradient), geometry, combine)
    return DeformableConvolution.Gradients(
      input: Tensor(found.x), weight: Tensor(found.w), offset: Tensor(found.offset),
      mask: found.mask.map { Tensor($0) })
  }

  /// The predictor's channels as offsets and masks: scale · sigmoid of the last third.
  private func split(_ prediction: Tensor) -> (offset: Tensor, mask: Tensor?) {
    if version == .v1 { return (prediction, nil) }
    let slots = offsetGroups * geometry.taps, pixels = Array(prediction.shape.dropLast())
    var offset = Tensor(uninitialized: pixels + [2 * slots]), mask = Tensor(uninitialized: pixels + [slots])
    let count = prediction.count / (3 * slots)
    prediction.withPointer { source in
      offset.withMutablePointer { offset in
        mask.withMutablePointer { mask in
          for pixel in 0..<count {
            let row = source + pixel * 3 * slots
            (offset + pixel * 2 * slots).update(from: row, count: 2 * slots)
            for slot in 0..<slots {
              mask[pixel * slots + slot] = maskScale / (1 + exp(-row[2 * slots + slot]))
            }
          }
        }
      }
    }
    return (offset, mask)
  }

  /// The gradient to the predictor's channels.
  private func joined(_ offset: Tensor, _ maskGradient: Tensor?, _ mask: Tensor?) -> Tensor {
    guard let maskGradient, let mask else { return offset }
    let slots = offsetGroups * geometry.taps
    var result = Tensor(uninitialized: offset.shape.dropLast() + [3 * slots])
    let count = offset.count / (2 * slots)
    withPointers(offset, maskGradient, mask) { offset, gradient, mask in
      result.withMutablePointer { result in
        for pixel in 0..<count {
          let row = result + pixel * 3 * slots
          row.update(from: offset + pixel * 2 * slots, count: 2 * slots)
          for slot in 0..<slots {
            let m = mask[pixel * slots + slot]
            row[2 * slots + slot] = gradient[pixel * slots + slot] * m * (1 - m / maskScale)
          }
        }
      }
    }
    return result
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64]) -> Tensor64 {
    let (offset, mask) = referencePositions(input, parameters)
    return DeformableReference.forward(
      input, offset: offset, mask: mask, parameters[0], bias == nil ? nil : parameters[1], geometry, combine)
  }

  func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? {
    let (offset, mask) = referencePositions(input, parameters)
    let own = DeformableReference.backward(
      input, offset: offset, mask: mask, parameters[0], gradient, geometry, combine)
    var result = ReferenceGradients(
      input: own.x, parameters: [own.w] + (bias == nil ? [] : [referenceBiasGradient(gradient)]))
    guard given == nil else { return result }
    // On to the predictor's channels, and through it.
    let slots = offsetGroups * geometry.taps, channels = predictor.geometry.outputChannels
    var positions = Tensor64(repeating: 0, gradient.shape.dropLast() + [channels])
    for index in positions.values.indices {
      let (pixel, channel) = index.quotientAndRemainder(dividingBy: channels)
      if channel < 2 * slots {
        positions.values[index] = own.offset.values[pixel * 2 * slots + channel]
      } else if let mask, let dMask = own.mask {
        let slot = pixel * slots + channel - 2 * slots, m = mask.values[slot]
        positions.values[index] = dMask.values[slot] * m * (1 - m / Double(maskScale))
      }
    }
    let inner = ConvolutionReference.backward(
      input, parameters[bias == nil ? 1 : 2], positions, predictor.geometry)
    for index in result.input.values.indices { result.input.values[index] += inner.x.values[index] }
    result.parameters += [inner.w, referenceBiasGradient(positions)]
    return result
  }

  /// The offsets and masks of the reference: given ones, or the predictor's.
  private func referencePositions(
    _ input: Tensor64, _ parameters: [Tensor64]
  ) -> (offset: Tensor64, mask: Tensor64?) {
    if let given { return (Tensor64(given.offset), given.mask.map { Tensor64($0) }) }
    let prediction = predictor.reference(input, Array(parameters[(bias == nil ? 1 : 2)...]))
    let slots = offsetGroups * geometry.taps, channels = prediction.shape[3]
    var offset = Tensor64(repeating: 0, prediction.shape.dropLast() + [2 * slots])
    var mask = Tensor64(repeating: 0, prediction.shape.dropLast() + [slots])
    for (index, value) in prediction.values.enumerated() {
      let (pixel, channel) = index.quotientAndRemainder(dividingBy: channels)
      if channel < 2 * slots {
        offset.values[pixel * 2 * slots + channel] = value
      } else {
        mask.values[pixel * slots + channel - 2 * slots] = Double(maskScale) / (1 + exp(-value))
      }
    }
    return (offset, version == .v1 ? nil : mask)
  }

  func bind(_ operands: Operands) throws {
    guard let offset = operands.offset else {
      throw WorkbenchError("This operator needs offsets; give them with --offset.")
    }
    try Deformable.check(offset: offset, mask: operands.mask, geometry, version)
    let groups = offset.shape[3] / (2 * geometry.taps)
    guard !options.given.contains("groups") || groups == offsetGroups else {
      throw WorkbenchError(
        "The offset has \(groups) offset groups, the option asks for \(offsetGroups); leave the option out.")
    }
    guard !options.given.contains("mask") else {
      throw WorkbenchError("A mask from a file is taken as it is; leave out the option mask.")
    }
    offsetGroups = groups
    given = (offset, operands.mask)
    try bindWeights(operands)
  }

  var operandGradients: Operands {
    Operands(
      weight: weight.gradient, bias: bias?.gradient, offset: givenGradients?.offset,
      mask: givenGradients?.mask)
  }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = try geometry.outputShape(for: input)
    guard input.count / max(input.batch, 1) <= Int(Int32.max) else {
      throw WorkbenchError("A deformable kernel takes images of fewer than 2³¹ elements, not \(input).")
    }
    if let given {
      for (name, tensor) in [("offset", given.offset), ("mask", given.mask)] {
        guard let tensor else { continue }
        let shape = FeatureShape(tensor)
        guard (shape.batch, shape.height, shape.width) == (output.batch, output.height, output.width) else {
          throw WorkbenchError(
            "The \(name) is for \(shape.batch) images of \(shape.height)×\(shape.width) output pixels; this input gives \(output.batch) of \(output.height)×\(output.width)."
          )
        }
      }
    }
    return output
  }
}
