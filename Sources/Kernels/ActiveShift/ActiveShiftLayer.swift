import Layers
import Tensors

/// Channels moved by learned distances, read bilinearly; zeros outside the image.
///
/// A bilinear sample is a window with four nonzero weights. So this is a depthwise convolution whose weights follow
/// from the distances, and the distances' gradients follow from the gradient to those weights.
final class ActiveShiftLayer: KernelLayer, TakesOperands, TorchPrinted, HoldsDecisions {
  let geometry: ConvolutionGeometry
  private let way: DirectOrReference
  /// For each channel the vertical, then the horizontal distance, in pixels.
  private let distance: Parameter
  private var saved = Saved<(input: Tensor, window: Window)>()

  /// It interpolates.
  let isExactOnIntegers = false

  var algorithm: String { way.rawValue }

  /// Distances start uniformly distributed over −1 … 1, and learn at a hundredth of the rate, without weight decay.
  init(_ site: KernelSite) throws {
    geometry = site.geometry
    way = try site.directOrReference()
    var random = site.random
    distance = Parameter(
      Tensor(uniform: [geometry.inputChannels, 2], in: -1..<1, using: &random), layout: .plain, decays: false,
      rateFactor: 0.01, role: .position)
  }

  var ownState: [NamedParameter] { [NamedParameter("offset.channels", distance)] }

  var printedName: String { "ActiveShift" }
  var printedArguments: String { "\(geometry.inputChannels)" }

  /// A bilinear sample for each value: four products and three sums. Backward, each value is spread over four neighbours
  /// (4 MACs) and multiplied with each of them (4 MACs).
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input), isBackward = pass == .backward
    return Cost(
      parameters: parameterCount, macs: isBackward ? 8 * output.count : 0,
      otherOps: isBackward ? 0 : 7 * output.count,
      bytes: (isBackward ? 2 : 1) * 4 * (input.count + parameterCount + output.count))
  }

  /// The distances as a window of taps.
  private struct Window {
    let geometry: ConvolutionGeometry
    /// Each channel's first tap and the fractions after it.
    let places: [(row: Int, column: Int, y: Float, x: Float)]
    let weight: Parameter

    var passes: DepthwisePasses { DepthwisePasses(geometry) }
    func plan(_ input: Tensor) -> GridRows { GridRows(geometry, input: FeatureShape(input)) }
  }

  /// Distances are clamped to this, unlike in the definition, because windows must fit into memory, whatever training
  /// does. One far channel makes the window large and slow for all channels.
  private static let limit: Float = 64

  private func window(limit: Float = limit) -> Window {
    let channels = geometry.inputChannels
    let values = distance.value.values.map { min(max($0.isNaN ? 0 : $0, -limit), limit) }
    let floors = values.map { Int($0.rounded(.down)) }
    func range(_ axis: Int) -> ClosedRange<Int> {
      let own = stride(from: axis, to: floors.count, by: 2).map { floors[$0] }
      return min(own.min() ?? 0, 0)...max((own.max() ?? 0) + 1, 0)
    }
    let rows = range(0), columns = range(1)
    guard
      let window = try? geometry.with(
        kernel: Pair(rows.count, columns.count),
        padding: Padding(
          top: -rows.lowerBound, left: -columns.lowerBound, bottom: rows.upperBound, right: columns.upperBound
        ))
    else {
      // Too large for this machine; no window is smaller than one of 3 × 3.
      precondition(limit > 0, "a window of \(rows) × \(columns) is possible")
      return self.window(limit: limit < 1 ? 0 : limit / 8)
    }
    let places = (0..<channels).map { channel in
      (
        row: floors[2 * channel] - rows.lowerBound, column: floors[2 * channel + 1] - columns.lowerBound,
        y: values[2 * channel] - Float(floors[2 * channel]),
        x: values[2 * channel + 1] - Float(floors[2 * channel + 1])
      )
    }
    return Window(geometry: window, places: places, weight: weight(window, places))
  }

  /// The window of the first pass, with the fractions of the present distances.
  private func heldWindow(_ decisions: Decisions) -> Window {
    let (first, old) = decisions.made(by: self) { (window(), distance.value) }, new = distance.value
    let places = first.places.enumerated().map { channel, place in
      (
        row: place.row, column: place.column, y: place.y + new[2 * channel] - old[2 * channel],
        x: place.x + new[2 * channel + 1] - old[2 * channel + 1]
      )
    }
    return Window(geometry: first.geometry, places: places, weight: weight(first.geometry, places))
  }

  private func weight(_ window: ConvolutionGeometry, _ places: [(row: Int, column: Int, y: Float, x: Float)])
    -> Parameter
  {
    let channels = geometry.inputChannels, across = window.kernel.width
    var weight = Tensor(repeating: 0, window.weightShape)
    weight.withMutablePointer { w in
      for (channel, place) in places.enumerated() {
        let first = (place.row * across + place.column) * channels + channel
        let down = across * channels
        // A distance that is not a number must not pass for one.
        let isLost = distance.value[2 * channel].isNaN || distance.value[2 * channel + 1].isNaN
        w[first] = isLost ? .nan : (1 - place.y) * (1 - place.x)
        w[first + channels] = (1 - place.y) * place.x
        w[first + down] = place.y * (1 - place.x)
        w[first + down + channels] = place.y * place.x
      }
    }
    return Parameter(weight, layout: .convolution)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let window = context.decisions.map(heldWindow) ?? window()
    saved.keep((input, window), context)
    if way == .reference, context.decisions == nil {
      return Tensor(reference(Tensor64(input), [Tensor64(distance.value)], training: context.training))
    }
    return window.passes.forward(input, window.plan(input), Filter(window.weight), .none, context)
  }

  func backward(_ gradient: Tensor, input wanted: InputGradient, _ context: Context) -> Tensor {
    let (input, window) = saved.take()
    let plan = window.plan(input), channels = geometry.inputChannels
    let dw = window.passes.weightGradient(gradient, input, plan, window.weight, context).values
    let across = window.geometry.kernel.width
    distance.gradient = Tensor(
      window.places.enumerated().flatMap { channel, place -> [Float] in
        let first = (place.row * across + place.column) * channels + channel
        let (a, b) = (dw[first], dw[first + channels])
        let (c, d) = (dw[first + across * channels], dw[first + (across + 1) * channels])
        return [
          (1 - place.x) * (c - a) + place.x * (d - b), (1 - place.y) * (b - a) + place.y * (d - c),
        ]
      }, distance.value.shape)
    guard wanted.isNeeded else { return InputGradient.nothing }
    let dx = window.passes.inputGradient(gradient, input, plan, window.weight, adding: nil, context)
    return wanted.total(dx, threads: context.threads)
  }

  /// Takes distances as offsets: (vertical, horizontal) for each channel, one pixel of 2 · channels.
  func bind(_ operands: Operands) throws {
    try operands.bindPositions(to: distance)
    guard operands.weight == nil, operands.bias == nil else {
      throw WorkbenchError("active-shift has no weights; leave out --weight and --bias.")
    }
  }

  var operandGradients: Operands { Operands(offset: distance.positionGradient) }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    definition(parameters[0], input.shape).forward(input, ones, nil)
  }

  func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? {
    let found = definition(parameters[0], input.shape).backward(input, ones, gradient)
    let positions = found.positions.offset.map(Definition.biasGradient)
    return ReferenceGradients(
      input: found.x, parameters: positions.map { [Tensor64($0.values, parameters[0].shape)] } ?? [])
  }

  /// A depthwise convolution of one tap with weights of 1, at each channel's own distance.
  private func definition(_ distances: Tensor64, _ input: [Int]) -> Definition {
    Definition(
      geometry, Product(),
      Positions(
        offset: Tensor64(geometry.definedOutput(input).dropLast() + [distances.values.count]) {
          distances.values[$3]
        }))
  }

  private var ones: Tensor64 { Tensor64(repeating: 1, geometry.weightShape) }
}

extension ActiveShiftLayer: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let window = window()
    return window.geometry.onnxConvolution(
      "Conv", [x, graph.constant("window", window.weight)], groups: geometry.inputChannels, graph)
  }
}
