import Compute
import Layers
import Tensors

/// The sampling of active convolution: an offset for each tap, the same at every pixel.
///
/// Like predicted offsets, they start at zero and learn at a hundredth of the rate, without weight decay.
final class LearnedOffsets: Sampling {
  private let geometry: ConvolutionGeometry
  private let offset: Parameter

  init(_ geometry: ConvolutionGeometry) {
    self.geometry = geometry
    offset = Parameter(
      Tensor(repeating: 0, [2 * geometry.taps]), layout: .plain, decays: false, rateFactor: 0.01,
      role: .position)
  }

  var ownParameters: [NamedParameter] { [NamedParameter("offset.taps", offset)] }
  var printedPrefix: String { "Active" }

  func check(_ input: FeatureShape, output: FeatureShape) throws {
    guard input.count / max(input.batch, 1) <= Int(Int32.max) else {
      throw WorkbenchError("active supports images of fewer than 2³¹ elements, not \(input).")
    }
  }

  func plan(for input: Tensor, _ context: Context) -> any SamplingPlan {
    BilinearRows(
      geometry, input: FeatureShape(input), offset: offsets(FeatureShape(input), threads: context.threads),
      mask: nil, threads: context.threads
    ) { [offset] gradient, _, dx, context in
      // Offsets are shared by all pixels, so their gradient is a sum over all pixels.
      offset.gradient = biasGradient(gradient, threads: context.threads)
      return dx
    }.held(by: self, context)
  }

  var hasLearnedPositions: Bool { true }
  var holdsDecisions: Bool { true }

  func learnedPositions(for input: Tensor, _ context: Context) -> SampledPositions? {
    SampledPositions(
      geometry: geometry, offset: offsets(FeatureShape(input), threads: context.threads), mask: nil)
  }

  /// The taps' offsets at every output pixel.
  func offsets(_ input: FeatureShape, threads: Int) -> Tensor {
    let output = geometry.checkedOutput(input), row = offset.value
    var all = Tensor(uninitialized: [output.batch, output.height, output.width, row.count])
    row.withPointer { row in
      all.withMutablePointer { all in
        let length = 2 * geometry.taps
        copyRuns(row, all, count: output.pixels, length: length, threads: threads) { (0, $0 * length) }
      }
    }
    return all
  }

  func definition(_ input: Tensor64, _ parameters: [Tensor64]) -> Positions {
    let row = parameters[0].values
    let positions = Positions(
      offset: Tensor64(geometry.definedOutput(input.shape).dropLast() + [row.count]) { row[$3] })
    BilinearSamples.note(positions, geometry, input, by: self)
    return positions
  }

  func definitionGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Positions
  ) -> (input: Tensor64?, parameters: [Tensor64]) {
    (nil, gradient.offset.map { [Definition.biasGradient($0)] } ?? [])
  }

  /// Backward, the samples and the sum of the offsets' gradients over all pixels.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    var cost = try geometry.samplingCost(for: input, pass: pass, masked: false)
    if pass == .backward { cost.adds += try geometry.outputShape(for: input).pixels * offset.value.count }
    return cost
  }

  /// Takes offsets in the order of a deformable convolution, for one pixel: 2 · taps values.
  func bind(_ operands: Operands) throws { try operands.bindPositions(to: offset) }

  var operandGradients: Operands { Operands(offset: offset.positionGradient) }
}

/// The same offsets for all pixels of all images.
extension LearnedOffsets: ONNXSampling {
  func onnxConvolution(
    _ x: ONNXGraph.Value, _ shape: FeatureShape, weight: ONNXGraph.Value, bias: ONNXGraph.Value?, groups: Int,
    _ graph: ONNXGraph
  ) throws -> ONNXGraph.Value {
    let output = try geometry.outputShape(for: shape), length = 2 * geometry.taps
    let images = graph.node("Shape", [x], ["start": .int(0), "end": .int(1)])
    let extents = graph.concatenated(
      [images, graph.constant("extents", [length, output.height, output.width])], axis: 0)
    let offsets = graph.node(
      "Expand", [graph.constant("offset.taps", offset.value.reshaped([1, length, 1, 1])), extents])
    return geometry.onnxConvolution(
      "DeformConv", [x, weight, offsets, bias], groups: groups, offsetGroups: 1, graph)
  }
}
