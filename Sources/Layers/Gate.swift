import Compute
import Foundation
import Tensors

/// y = x · a(x): each value times a factor that a layer makes of the same input.
///
/// The factors are one for each channel of an image (`[batch, 1, 1, channels]`), as in squeeze-and-excitation, or one
/// for each pixel (`[batch, height, width, 1]`), as in CBAM's spatial attention.
public final class Gate: HoldsDecisions {
  private let attention: any Layer
  private var saved: (input: Tensor, factors: Tensor)?

  /// A gate whose factors are the output of `attention`.
  public init(_ attention: any Layer) { self.attention = attention }

  public var children: [(name: String, layer: any Layer)] { attention.children }
  public var parts: [any Layer] { [attention] }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let factors = try attention.outputShape(for: input)
    let byChannel = FeatureShape(batch: input.batch, height: 1, width: 1, channels: input.channels)
    let byPixel = FeatureShape(batch: input.batch, height: input.height, width: input.width, channels: 1)
    guard factors == byChannel || factors == byPixel else {
      throw WorkbenchError("A gate for \(input) needs factors of \(byChannel) or \(byPixel), not \(factors).")
    }
    return input
  }

  /// A product for each value, as another operation. Backward: products to the input and to the factors, and their sums.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let count = input.count
    let own =
      pass == .backward
      ? Cost(macs: count, adds: count, otherOps: count, bytes: 16 * count)
      : Cost(otherOps: count, bytes: 8 * count)
    return try attention.cost(for: input, pass: pass) + own
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let factors = attention.forward(input, context)
    if context.training { saved = (input, factors) }
    return multiplied(input, factors)
  }

  private func multiplied(_ input: Tensor, _ factors: Tensor) -> Tensor {
    var result = Tensor(uninitialized: input.shape)
    let shape = FeatureShape(input), channels = shape.channels
    withPointers(input, factors) { x, a in
      result.withMutablePointer { y in
        forEachPixel(shape, factors) { pixel, factor, isByChannel in
          if isByChannel {
            for channel in 0..<channels { y[pixel &+ channel] = x[pixel &+ channel] * a[factor &+ channel] }
          } else {
            for channel in 0..<channels { y[pixel &+ channel] = x[pixel &+ channel] * a[factor] }
          }
        }
      }
    }
    return result
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let (input, factors) = saved.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    var toFactors = Tensor(repeating: 0, factors.shape)
    let shape = FeatureShape(input), channels = shape.channels
    withPointers(input, gradient) { x, g in
      toFactors.withMutablePointer { da in
        forEachPixel(shape, factors) { pixel, factor, isByChannel in
          if isByChannel {
            for channel in 0..<channels { da[factor &+ channel] += x[pixel &+ channel] * g[pixel &+ channel] }
          } else {
            for channel in 0..<channels { da[factor] += x[pixel &+ channel] * g[pixel &+ channel] }
          }
        }
      }
    }
    var inner = context
    inner.skipsInputGradient = false
    return attention.backward(toFactors, adding: multiplied(gradient, factors), inner)
  }

  /// Visits each pixel: where it starts, and where its factors do.
  @inline(__always)
  private func forEachPixel(
    _ shape: FeatureShape, _ factors: Tensor,
    _ body: (_ pixel: Int, _ factor: Int, _ isByChannel: Bool) -> Void
  ) {
    let size = shape.height * shape.width
    let isByChannel = factors.count == shape.batch * shape.channels && factors.shape[3] == shape.channels
    for pixel in 0..<shape.pixels {
      body(pixel * shape.channels, isByChannel ? pixel / size * shape.channels : pixel, isByChannel)
    }
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let factors = attention.reference(input, parameters, training: training), extents = factors.shape
    return Tensor64(input.shape) { image, row, column, channel in
      input[image, row, column, channel]
        * factors[image, min(row, extents[1] - 1), min(column, extents[2] - 1), min(channel, extents[3] - 1)]
    }
  }
}

/// y = 1 / (1 + exp(−x)).
public final class Sigmoid: HoldsDecisions {
  private var output: Tensor?

  /// A sigmoid.
  public init() {}

  public func outputShape(for input: FeatureShape) -> FeatureShape { input }

  /// One function for each value; backward, a difference and two products: y · (1 − y) · g.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let count = input.count
    return pass == .backward
      ? Cost(adds: count, otherOps: 2 * count, bytes: 12 * count) : Cost(otherOps: count, bytes: 8 * count)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let result = Tensor(input.values.map { 1 / (1 + exp(-$0)) }, input.shape)
    if context.training { output = result }
    return result
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let output = output.take() else { preconditionFailure("backward needs a forward pass in training") }
    return Tensor(zip(output.values, gradient.values).map { $0 * (1 - $0) * $1 }, output.shape)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    input.map { 1 / (1 + exp(-$0)) }
  }
}
