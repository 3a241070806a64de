import Compute
import Tensors

/// y = x · a(x): each value times a factor that a layer computes from the same input.
///
/// The factors are one for each channel of an image (`[batch, 1, 1, channels]`), as in squeeze-and-excitation, or one
/// for each pixel (`[batch, height, width, 1]`), as in CBAM's spatial attention.
public final class Gate: Defined, TorchPrinted, HoldsDecisions {
  private let attention: any Layer
  private var saved = Saved<(input: Tensor, factors: Tensor)>()

  /// A gate whose factors are the output of `attention`.
  public init(_ attention: any Layer) { self.attention = attention }

  public var children: [NamedLayer] { [("", attention)] }
  public var isExactOnIntegers: Bool { false }

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
    saved.keep((input, factors), context)
    return multiplied(input, factors, context)
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (x, factors) = saved.take()
    var toFactors = Tensor(uninitialized: factors.shape)
    withPointers(x, gradient) { x, g in
      toFactors.withMutablePointer {
        gating(x: FeatureShape(gradient), factors).factorGradient(x, g, $0, threads: context.threads)
      }
    }
    guard input.isNeeded else { return attention.backward(toFactors, input: .unneeded, context) }
    let direct = multiplied(gradient, factors, context)
    return input.total(attention.backward(toFactors, input: .plus(direct), context), threads: context.threads)
  }

  private func multiplied(_ input: Tensor, _ factors: Tensor, _ context: Context) -> Tensor {
    var result = Tensor(uninitialized: input.shape)
    withPointers(input, factors) { x, a in
      result.withMutablePointer {
        gating(x: FeatureShape(input), factors).multiply(x, a, $0, threads: context.threads)
      }
    }
    return result
  }

  private func gating(x shape: FeatureShape, _ factors: Tensor) -> Gating {
    Gating(
      shape,
      isByChannel: factors.count == shape.batch * shape.channels && factors.shape[3] == shape.channels)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let factors = attention.definition(input, parameters, training: training), extents = factors.shape
    return Tensor64(input.shape) { image, row, column, channel in
      input[image, row, column, channel]
        * factors[image, min(row, extents[1] - 1), min(column, extents[2] - 1), min(channel, extents[3] - 1)]
    }
  }
}

extension Gate: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let factors = try graph.layer(("", attention), x, shape)
    return graph.node("Mul", [x, factors])
  }
}
