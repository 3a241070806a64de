import Compute
import Layers
import Tensors

/// The shift of channels, with a pointwise convolution behind it where the number of channels changes.
final class ShiftLayer: KernelLayer {
  let geometry: ConvolutionGeometry
  let algorithm: String
  private let pointwise: ConvolutionLayer?
  private var inputShape: FeatureShape?
  private let shifted: ShiftedPointwise?

  init(_ site: KernelSite, pointwise wanted: Bool) throws {
    geometry = site.geometry
    algorithm = try site.directOrReference()
    guard geometry.kernel.height == geometry.kernel.width, geometry.kernel.height % 2 == 1 else {
      throw WorkbenchError("shift needs an odd square window, such as 3×3, not \(geometry.kernel).")
    }
    let full = Padding(
      Pair(
        geometry.dilation.height * (geometry.kernel.height / 2),
        geometry.dilation.width * (geometry.kernel.width / 2)))
    guard geometry.padding == full else {
      throw WorkbenchError(
        "shift reads zeros outside the image and keeps its size: its padding is \(full), not \(geometry.padding)."
      )
    }
    // A window of one pixel moves nothing: there the pointwise convolution is all there is.
    let needed = wanted || geometry.inputChannels != geometry.outputChannels || geometry.taps == 1
    guard needed || geometry.groups == 1 || geometry.groups == geometry.inputChannels else {
      throw WorkbenchError(
        "shift mixes no channels, so groups have no meaning; leave them out or give a weight.")
    }
    guard needed || !site.bias else {
      throw WorkbenchError("shift has no bias without a weight; leave it out.")
    }
    pointwise =
      needed
      ? try ConvolutionLayer(
        KernelSite(
          geometry: geometry.with(
            kernel: Pair(1), stride: Pair(1), padding: Padding(Pair(0)), dilation: Pair(1)),
          bias: site.bias, algorithm: site.algorithm, random: site.random),
        algorithms: ConvolutionAlgorithms.pointwise) : nil
    let isDirect = algorithm == "direct" && geometry.groups == 1
    shifted = needed && isDirect ? ShiftedPointwise(geometry) : nil
  }

  /// The pointwise convolution's own parameters stand where a convolution's would.
  var ownParameters: [NamedParameter] { pointwise?.ownParameters ?? [] }

  var printedName: String { "Shift" }

  var printedArguments: String { geometry.printed(bias: pointwise == nil || pointwise?.bias != nil) }

  /// Moves cost no arithmetic; only bytes.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input)
    var shifted = output
    shifted.channels = input.channels
    var cost = try pointwise?.cost(for: shifted, pass: pass) ?? Cost()
    let gradients = pass == .backward && pointwise != nil ? 2 : 1
    cost.bytes = gradients * 4 * (input.count + cost.parameters + output.count)
    return cost
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    if !context.training, shifted != nil { return infer(input, .none, context) }
    let shape = FeatureShape(input)
    if context.training { inputShape = shape }
    var output = geometry.checkedOutput(shape)
    output.channels = shape.channels
    var shifted: Tensor
    if algorithm == "reference" {
      shifted = Tensor(ShiftReference.forward(Tensor64(input), geometry))
    } else {
      shifted = Tensor(uninitialized: output.extents)
      input.withPointer { x in
        shifted.withMutablePointer { y in
          move(
            shape, output, threads: context.threads, missing: { y[$0] = 0 },
            inside: { ChannelMoves.gather(x + $1, $2, y + $0, count: shape.channels) }
          ) { y[$0] = x[$1] }
        }
      }
    }
    return pointwise?.forward(shifted, context) ?? shifted
  }

  /// Without a copy: the pointwise convolution reads where the shift would have read.
  func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    guard let shifted, let pointwise else {
      return epilogue.applied(to: forward(input, context), context)
    }
    let filter = Filter(pointwise.weight, normalization: epilogue.normalization)
    let finish = Finish(epilogue, filter, bias: pointwise.bias?.value)
    return shifted.forward(input, filter, finish, context)
  }

  func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let shape = inputShape.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    var inner = context
    inner.skipsInputGradient = false
    let gradient = pointwise?.backward(gradient, inner) ?? gradient
    if context.skipsInputGradient { return Tensor(uninitialized: [0]) }
    if algorithm == "reference" {
      return Tensor(ShiftReference.backward(Tensor64(gradient), shape.extents, geometry))
    }
    var dx = Tensor(repeating: 0, shape.extents)
    gradient.withPointer { g in
      dx.withMutablePointer { dx in
        move(
          shape, FeatureShape(gradient), threads: context.threads, missing: { _ in },
          inside: { ChannelMoves.scatter(g + $0, $2, dx + $1, count: shape.channels) }
        ) { dx[$1] = g[$0] }
      }
    }
    return dx
  }

  /// Visits every element of the shifted image: its offset, and that of the element it is, if there is one.
  ///
  /// Pixels whose channels all lie inside are visited whole: their offset, that of the pixel they shift from, and
  /// where each channel lies from there.
  @inline(__always)
  private func move(
    _ input: FeatureShape, _ output: FeatureShape, threads: Int, missing: (Int) -> Void,
    inside: (Int, Int, UnsafePointer<Int>) -> Void, body: (Int, Int) -> Void
  ) {
    let channels = input.channels, reach = geometry.padding
    let moves = (0..<channels).map { ShiftReference.displacement($0, of: channels, geometry) }
    let offsets = moves.enumerated().map {
      ($0.element.dy * input.width + $0.element.dx) * channels + $0.offset
    }
    // By image, so that each gradient element has one owner.
    parallel(output.batch, threads: threads) { images in
      for image in images {
        for row in 0..<output.height {
          for column in 0..<output.width {
            let target = ((image * output.height + row) * output.width + column) * channels
            let top = row * geometry.stride.height, left = column * geometry.stride.width
            let source = ((image * input.height + top) * input.width + left) * channels
            if top >= reach.top, top + reach.bottom < input.height, left >= reach.left,
              left + reach.right < input.width
            {
              offsets.withUnsafeBufferPointer { inside(target, source, $0.baseAddress.unsafelyUnwrapped) }
              continue
            }
            for channel in 0..<channels {
              let h = top &+ moves[channel].dy, w = left &+ moves[channel].dx
              if h >= 0, h < input.height, w >= 0, w < input.width {
                body(target &+ channel, source &+ offsets[channel])
              } else {
                missing(target &+ channel)
              }
            }
          }
        }
      }
    }
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64]) -> Tensor64 {
    let shifted = ShiftReference.forward(input, geometry)
    return pointwise?.reference(shifted, parameters) ?? shifted
  }

  func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? {
    let shifted = ShiftReference.forward(input, geometry)
    let inner = pointwise?.referenceGradients(shifted, parameters, gradient)
    return ReferenceGradients(
      input: ShiftReference.backward(inner?.input ?? gradient, input.shape, geometry),
      parameters: inner?.parameters ?? [])
  }
}
