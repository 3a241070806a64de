import Compute
import Foundation
import Layers
import Tensors

/// The sampling of deformable convolution: offsets (and masks) that a convolution predicts from the same input.
///
/// That convolution has the same geometry and a bias. It starts at zero, so that training starts from the regular
/// grid. It learns at a hundredth of the rate, since otherwise offsets leave small images. Its channels are the
/// offsets, (vertical, horizontal) for each offset group and tap, then the masks.
final class PredictedOffsets: Sampling {
  private let geometry: ConvolutionGeometry
  private let version: Deformable.Version
  private let options: KernelOptions
  private let maskScale: Double
  private var offsetGroups: Int
  private let predictor: ConvolutionLayer

  /// Offsets and masks from outside, instead of predicted ones, and their gradients.
  private var given: (offset: Tensor, mask: Tensor?)?
  private(set) var operandGradients = Operands()

  init(_ site: KernelSite, _ version: Deformable.Version) throws {
    geometry = site.geometry
    options = site.options
    self.version = version
    maskScale = version == .v2 && site.options[Deformable.mask] == .doubled ? 2 : 1
    offsetGroups = site.options[KernelOptions.offsetGroups]
    guard geometry.inputChannels % offsetGroups == 0 else {
      throw WorkbenchError(
        "\(offsetGroups) offset groups do not divide \(geometry.inputChannels) input channels.")
    }
    let channels = offsetGroups * geometry.taps * (version == .v1 ? 2 : 3)
    predictor = try ConvolutionLayer(
      KernelSite(
        geometry: geometry.with(outputChannels: channels, groups: 1), bias: true, random: site.random),
      rateFactor: 0.01)
    predictor.weight.value = Tensor(repeating: 0, predictor.weight.value.shape)
    for named in predictor.parameters { named.parameter.role = .position }
  }

  var children: [NamedLayer] { given == nil ? [("offset", predictor)] : [] }
  var printedPrefix: String { "Deform" }

  func check(_ input: FeatureShape, output: FeatureShape) throws {
    guard input.count / max(input.batch, 1) <= Int(Int32.max) else {
      throw WorkbenchError("A deformable kernel supports images of fewer than 2³¹ elements, not \(input).")
    }
    for (name, tensor) in [("offset", given?.offset), ("mask", given?.mask)] {
      guard let shape = tensor.map({ FeatureShape($0) }) else { continue }
      guard (shape.batch, shape.height, shape.width) == (output.batch, output.height, output.width) else {
        throw WorkbenchError(
          "The \(name) is for \(shape.batch) images of \(shape.height)×\(shape.width) output pixels; this input gives \(output.batch) of \(output.height)×\(output.width)."
        )
      }
    }
  }

  func plan(for input: Tensor, _ context: Context) -> any SamplingPlan {
    let (offset, mask) = offsets(for: input, context)
    return BilinearRows(
      geometry, input: FeatureShape(input), offset: offset, mask: mask, threads: context.threads
    ) { [self] dOffset, dMask, dx, context in
      if given != nil {
        operandGradients = Operands(offset: dOffset, mask: dMask)
        return dx
      }
      return .sum(
        dx, predictor.backward(joined(dOffset, dMask, mask, threads: context.threads), context),
        threads: context.threads)
    }.held(by: self, context)
  }

  var hasLearnedPositions: Bool { true }
  var holdsDecisions: Bool { true }

  func learnedPositions(for input: Tensor, _ context: Context) -> SampledPositions? {
    let (offset, mask) = offsets(for: input, context)
    return SampledPositions(geometry: geometry, offset: offset, mask: mask)
  }

  /// Offsets and masks, given or predicted.
  func offsets(for input: Tensor, _ context: Context) -> (offset: Tensor, mask: Tensor?) {
    given ?? split(predictor.forward(input, context), threads: context.threads)
  }

  /// The predictor's channels as offsets and masks: scale · sigmoid of the last third.
  private func split(_ prediction: Tensor, threads: Int) -> (offset: Tensor, mask: Tensor?) {
    if version == .v1 { return (prediction, nil) }
    let slots = offsetGroups * geometry.taps
    let parts = prediction.channelSlices([2 * slots, slots], threads: threads)
    var mask = Tensor(uninitialized: parts[1].shape)
    parts[1].withPointer { x in
      mask.withMutablePointer {
        Elementwise.sigmoid(x, $0, scale: Float(maskScale), count: parts[1].count, threads: threads)
      }
    }
    return (parts[0], mask)
  }

  /// The gradient to the predictor's channels.
  private func joined(_ offset: Tensor, _ maskGradient: Tensor?, _ mask: Tensor?, threads: Int) -> Tensor {
    guard let maskGradient, let mask else { return offset }
    var last = Tensor(uninitialized: mask.shape)
    withPointers(mask, maskGradient) { mask, gradient in
      last.withMutablePointer {
        Elementwise.scaledSigmoidGradient(
          mask, gradient, $0, scale: Float(maskScale), count: maskGradient.count, threads: threads)
      }
    }
    return .concatenated([offset, last], threads: threads)
  }

  func bind(_ operands: Operands) throws {
    guard let offset = operands.offset else {
      throw WorkbenchError("This operator needs offsets; give them with --offset.")
    }
    try Deformable.check(offset: offset, mask: operands.mask, geometry, version)
    let groups = offset.shape[3] / (2 * geometry.taps)
    guard !options.isGiven(KernelOptions.offsetGroups) || groups == offsetGroups else {
      throw WorkbenchError(
        "The offset has \(groups) offset groups, but the option asks for \(offsetGroups); leave the option out."
      )
    }
    guard !options.isGiven(Deformable.mask) else {
      throw WorkbenchError("A mask from a file is used as it is; leave out the option mask.")
    }
    offsetGroups = groups
    given = (offset, operands.mask)
  }
}

// What it costs.
extension PredictedOffsets {
  /// Besides the samples: the predictor, a sigmoid for each mask, and backward the sigmoid's derivative (m · (1 − m)
  /// · g) and the sum of the two gradients to the input.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let isBackward = pass == .backward
    let slots = try geometry.outputShape(for: input).pixels * geometry.taps * offsetGroups
    var cost = try geometry.samplingCost(for: input, pass: pass, masked: version == .v2)
    if given == nil {
      cost = cost + (try predictor.cost(for: input, pass: pass)) + Cost(adds: isBackward ? input.count : 0)
      if version == .v2 {
        cost = cost + (isBackward ? Cost(adds: slots, otherOps: 2 * slots) : Cost(otherOps: slots))
      }
    }
    cost.bytes = 4 * slots * (version == .v1 ? 2 : 3)
    return cost
  }
}

// Its definition in double precision.
extension PredictedOffsets {
  func definition(_ input: Tensor64, _ parameters: [Tensor64]) -> Positions {
    if let given { return Positions(offset: Tensor64(given.offset), mask: given.mask.map { Tensor64($0) }) }
    let prediction = predictor.reference(input, parameters, training: true)
    let slots = offsetGroups * geometry.taps, channels = prediction.shape[3]
    var offset = Tensor64(repeating: 0, prediction.shape.dropLast() + [2 * slots])
    var mask = Tensor64(repeating: 0, prediction.shape.dropLast() + [slots])
    for (index, value) in prediction.values.enumerated() {
      let (pixel, channel) = index.quotientAndRemainder(dividingBy: channels)
      if channel < 2 * slots {
        offset.values[pixel * 2 * slots + channel] = value
      } else {
        mask.values[pixel * slots + channel - 2 * slots] = maskScale / (1 + exp(-value))
      }
    }
    let positions = Positions(offset: offset, mask: version == .v1 ? nil : mask)
    BilinearSamples.note(positions, geometry, input, by: self)
    return positions
  }

  func definitionGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Positions
  ) -> (input: Tensor64?, parameters: [Tensor64]) {
    guard given == nil, let dOffset = gradient.offset else { return (nil, []) }
    let mask = definition(input, parameters).mask
    let slots = offsetGroups * geometry.taps, channels = predictor.geometry.outputChannels
    var positions = Tensor64(repeating: 0, dOffset.shape.dropLast() + [channels])
    for index in positions.values.indices {
      let (pixel, channel) = index.quotientAndRemainder(dividingBy: channels)
      if channel < 2 * slots {
        positions.values[index] = dOffset.values[pixel * 2 * slots + channel]
      } else if let mask, let dMask = gradient.mask {
        let slot = pixel * slots + channel - 2 * slots, m = mask.values[slot]
        positions.values[index] = dMask.values[slot] * m * (1 - m / maskScale)
      }
    }
    let inner = predictor.referenceGradients(input, parameters, positions)
    return (inner?.input, inner?.parameters ?? [])
  }
}

extension PredictedOffsets: ONNXSampling {
  func onnxConvolution(
    _ x: ONNXGraph.Value, _ shape: FeatureShape, weight: ONNXGraph.Value, bias: ONNXGraph.Value?, groups: Int,
    _ graph: ONNXGraph
  ) throws -> ONNXGraph.Value {
    guard given == nil else {
      throw WorkbenchError(
        "Offsets from a file are not exported to ONNX; export a network, which predicts them.")
    }
    var offset = try graph.layer(("offset", predictor), x, shape), mask: ONNXGraph.Value?
    if version == .v2 {
      let slots = offsetGroups * geometry.taps, all = offset
      offset = graph.slice(all, axis: 1, 0..<2 * slots)
      let share = graph.node("Sigmoid", [graph.slice(all, axis: 1, 2 * slots..<3 * slots)])
      mask = maskScale == 1 ? share : graph.scalar("Mul", share, Float(maskScale))
    }
    return geometry.onnxConvolution(
      "DeformConv", [x, weight, offset, bias, mask], groups: groups, offsetGroups: offsetGroups, graph)
  }
}
