import Compute
import Layers
import Tensors

/// The shift of channels: alone, or as the sampling of a pointwise convolution where the number of channels changes.
final class ShiftLayer: KernelLayer, TakesOperands, TorchPrinted, HoldsDecisions {
  let geometry: ConvolutionGeometry
  private let way: DirectOrReference
  private let sampling: ShiftedChannels
  private let pointwise: ConvolutionLayer?
  private var saved = Saved<FeatureShape>()

  var algorithm: String { way.rawValue }

  init(_ site: KernelSite, pointwise wanted: Bool) throws {
    geometry = site.geometry
    way = try site.directOrReference()
    guard geometry.kernel.height == geometry.kernel.width, geometry.kernel.height % 2 == 1 else {
      throw WorkbenchError("shift needs an odd square window, such as 3×3, not \(geometry.kernel).")
    }
    let full = Padding(
      Pair(
        geometry.dilation.height * (geometry.kernel.height / 2),
        geometry.dilation.width * (geometry.kernel.width / 2)))
    guard geometry.padding == full else {
      throw WorkbenchError(
        "shift reads zeros outside the image and keeps its size, so its padding is \(full), not \(geometry.padding)."
      )
    }
    // With a window of one pixel nothing moves, and only the pointwise convolution remains.
    let needed = wanted || geometry.inputChannels != geometry.outputChannels || geometry.taps == 1
    guard needed || geometry.groups == 1 || geometry.groups == geometry.inputChannels else {
      throw WorkbenchError(
        "shift mixes no channels, so groups have no effect; leave them out or give a weight.")
    }
    sampling = ShiftedChannels(geometry)
    pointwise =
      needed
      ? try ConvolutionLayer(
        KernelSite(
          geometry: geometry.with(kernel: Pair(1), padding: Padding(Pair(0)), dilation: Pair(1)),
          bias: site.bias, algorithm: way.rawValue, random: site.random), sampling: sampling) : nil
  }

  /// The pointwise convolution's parameters have the names that a convolution's would have.
  var ownState: [NamedParameter] { pointwise?.ownState ?? [] }

  var printedName: String { "Shift" }

  var printedArguments: String { geometry.printed(bias: pointwise == nil || pointwise?.bias != nil) }

  /// Moves cost bytes, but no arithmetic.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input)
    return try pointwise?.cost(for: input, pass: pass) ?? Cost(bytes: 4 * (input.count + output.count))
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    if let pointwise { return pointwise.forward(input, context) }
    let shape = FeatureShape(input)
    saved.keep(shape, context)
    if way == .reference { return Tensor(reference(Tensor64(input), [], training: context.training)) }
    let rows = sampling.rows(shape, context)
    var y = Tensor(uninitialized: rows.output.extents)
    input.withPointer { x in
      y.withMutablePointer { y in
        parallel(rows.output.pixels, threads: context.threads, grain: 16) { pixels in
          for pixel in pixels { rows.gather(pixel, x, into: y + pixel * shape.channels) }
        }
      }
    }
    return y
  }

  func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    pointwise?.infer(input, epilogue, context) ?? epilogue.applied(to: forward(input, context), context)
  }

  func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    if let pointwise { return pointwise.backward(gradient, input: input, context) }
    let shape = saved.take()
    return input.total(moved(gradient, back: shape, context), threads: context.threads)
  }

  private func moved(_ gradient: Tensor, back shape: FeatureShape, _ context: Context) -> Tensor {
    if way == .reference {
      return Tensor(move(shape.extents).backward(Tensor64(shape.extents), ones, Tensor64(gradient)).x)
    }
    let rows = sampling.rows(shape, context)
    var dx = Tensor(repeating: 0, shape.extents)
    gradient.withPointer { g in
      dx.withMutablePointer { dx in
        // Without weights the column of each pixel is its gradient.
        rows.scatter(g, 0..<rows.output.pixels, x: g, zeros: g, into: dx, threads: context.threads)
      }
    }
    return dx
  }

  /// A move is a depthwise convolution of one tap with weights of 1, at shifted positions.
  private func move(_ input: [Int]) -> Definition {
    guard
      let single = try? geometry.with(
        kernel: Pair(1), padding: Padding(Pair(0)), dilation: Pair(1), groups: geometry.inputChannels)
    else { preconditionFailure("a shift alone keeps its channels") }
    return Definition(single, Product(), sampling.positions(input))
  }

  private var ones: Tensor64 { Tensor64(repeating: 1, [1, 1, 1, geometry.inputChannels]) }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    pointwise?.reference(input, parameters, training: training) ?? move(input.shape).forward(input, ones, nil)
  }

  func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? {
    if let pointwise { return pointwise.referenceGradients(input, parameters, gradient) }
    return ReferenceGradients(
      input: move(input.shape).backward(input, ones, gradient).x, parameters: [])
  }
}

extension ShiftLayer: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    try pointwise.map { try graph.layer(("", $0), x, shape) } ?? sampling.onnxShift(x, graph)
  }
}
