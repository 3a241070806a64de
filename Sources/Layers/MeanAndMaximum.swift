import Compute
import Tensors

/// A layer applied to each image's mean pixel, plus the same layer applied to its maxima: CBAM's channel attention
/// before its sigmoid (Woo et al., 2018, arXiv:1807.06521).
///
/// The layer sees one image of two pixels, the mean and the maximum, for each image.
public final class MeanAndMaximum: Defined, TorchPrinted, HoldsDecisions {
  private let shared: any Layer
  private var saved = Saved<(input: FeatureShape, winners: [Int])>()

  /// Both poolings before a layer that treats each pixel separately.
  public init(_ shared: any Layer) { self.shared = shared }

  public var children: [NamedLayer] { [("", shared)] }
  public var isExactOnIntegers: Bool { false }

  private func pooled(_ input: FeatureShape) -> FeatureShape {
    FeatureShape(batch: input.batch, height: 1, width: 2, channels: input.channels)
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    var output = try shared.outputShape(for: pooled(input))
    output.width = 1
    return output
  }

  /// Both poolings and the sum of the two halves; backward, a division for each mean and an addition for each maximum.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let values = input.batch * input.channels
    let own =
      pass == .backward
      ? Cost(adds: values, otherOps: values, bytes: 4 * input.count)
      : Cost(
        adds: input.count - values + (try outputShape(for: input).count), otherOps: input.count,
        bytes: 4 * input.count)
    return try shared.cost(for: pooled(input), pass: pass) + own
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input), channels = shape.channels, threads = context.threads
    var means = Tensor(uninitialized: [shape.batch, 1, 1, channels])
    var winners = Array(repeating: 0, count: means.count)
    input.withPointer { x in
      means.withMutablePointer {
        MeansAndMaxima.overPixels(x, shape, means: $0, winners: &winners, threads: threads)
      }
    }
    winners = context.decided(by: self) { winners }
    saved.keep((shape, winners), context)
    let largest = input.withPointer { x in Tensor(winners.map { x[$0] }, means.shape) }
    let both = Tensor.concatenated([means, largest], threads: threads).reshaped(pooled(shape).extents)
    let output = shared.forward(both, context), width = output.shape[3]
    let halves = output.reshaped([shape.batch, 1, 1, 2 * width]).channelSlices(
      [width, width], threads: threads)
    return .sum(halves[0], halves[1], threads: threads)
  }

  /// The position of each image's largest value of each channel; the first of equal ones.
  private func positions<Value: Comparable>(_ x: [Value], _ shape: FeatureShape) -> [Int] {
    let channels = shape.channels, size = shape.height * shape.width * channels
    return (0..<shape.batch * channels).map { index in
      let first = index / channels * size + index % channels
      return stride(from: first, to: first + size, by: channels).reduce(first) { x[$1] > x[$0] ? $1 : $0 }
    }
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (shape, winners) = saved.take(), threads = context.threads
    let width = gradient.shape[3], halves = gradient.reshaped([shape.batch, 1, 1, width])
    let both = Tensor.concatenated([halves, halves], threads: threads).reshaped([shape.batch, 1, 2, width])
    guard input.isNeeded else { return shared.backward(both, input: .unneeded, context) }
    let inner = shared.backward(both, context).reshaped([shape.batch, 1, 1, 2 * shape.channels])
      .channelSlices([shape.channels, shape.channels], threads: threads)
    var result = Tensor(uninitialized: shape.extents)
    withPointers(inner[0], inner[1]) { means, largest in
      result.withMutablePointer {
        MeansAndMaxima.overPixelsGradient(
          means: means, largest: largest, winners: winners, $0, shape, threads: threads)
      }
    }
    return input.total(result, threads: threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let shape = FeatureShape(
      batch: input.shape[0], height: input.shape[1], width: input.shape[2], channels: input.shape[3])
    _ = Decisions.ofDefinition?.made(by: self) { positions(input.values, shape) }
    let both = Tensor64(pooled(shape).extents) { image, _, which, channel in
      let values = (0..<shape.height * shape.width).map {
        input[image, $0 / shape.width, $0 % shape.width, channel]
      }
      return which == 0 ? values.reduce(0, +) / Double(values.count) : values.max() ?? 0
    }
    let output = shared.definition(both, parameters, training: training)
    return Tensor64([shape.batch, 1, 1, output.shape[3]]) { image, _, _, channel in
      output[image, 0, 0, channel] + output[image, 0, 1, channel]
    }
  }
}

extension MeanAndMaximum: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let both = graph.concatenated(
      [graph.node("GlobalAveragePool", [x]), graph.node("GlobalMaxPool", [x])], axis: 3)
    let output = try graph.layer(("", shared), both, pooled(shape))
    return graph.reduced("ReduceSum", output, axis: 3)
  }
}
