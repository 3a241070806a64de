import Compute
import Tensors

/// Reduces all channels to two: each pixel's mean and its maximum.
public final class ChannelPooling: Defined, TorchPrinted, HoldsDecisions {
  private var saved = Saved<(input: FeatureShape, winners: [Int])>()

  /// The pooling before CBAM's spatial attention.
  public init() {}

  public func outputShape(for input: FeatureShape) -> FeatureShape {
    var output = input
    output.channels = 2
    return output
  }

  /// Backward, a division for each mean and an addition for each maximum.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let pixels = input.pixels, bytes = 4 * (input.count + 2 * pixels)
    return pass == .backward
      ? Cost(adds: pixels, otherOps: pixels, bytes: bytes)
      : Cost(adds: input.count - pixels, otherOps: input.count, bytes: bytes)
  }

  public var isExactOnIntegers: Bool { false }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    var result = Tensor(uninitialized: outputShape(for: shape).extents)
    var winners = Array(repeating: 0, count: shape.pixels)
    input.withPointer { x in
      result.withMutablePointer {
        MeansAndMaxima.overChannels(x, shape, $0, winners: &winners, threads: context.threads)
      }
      guard context.decisions != nil else { return }
      winners = context.decided(by: self) { winners }
      for (pixel, winner) in winners.enumerated() { result[2 * pixel + 1] = x[winner] }
    }
    saved.keep((shape, winners), context)
    return result
  }

  /// The position of each pixel's largest value; the first of equal ones.
  private func positions<Value: Comparable>(_ x: [Value], _ channels: Int) -> [Int] {
    stride(from: 0, to: x.count, by: channels).map { first in
      (first..<first + channels).reduce(first) { x[$1] > x[$0] ? $1 : $0 }
    }
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (shape, winners) = saved.take()
    var result = Tensor(uninitialized: shape.extents)
    gradient.withPointer { g in
      result.withMutablePointer {
        MeansAndMaxima.overChannelsGradient(g, winners: winners, $0, shape, threads: context.threads)
      }
    }
    return input.total(result, threads: context.threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let channels = input.shape[3]
    _ = Decisions.ofDefinition?.made(by: self) { positions(input.values, channels) }
    return Tensor64(input.shape.dropLast() + [2]) { image, row, column, which in
      let pixel = (0..<channels).map { input[image, row, column, $0] }
      return which == 0 ? pixel.reduce(0, +) / Double(channels) : pixel.max() ?? 0
    }
  }
}

extension ChannelPooling: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    graph.concatenated(
      [graph.reduced("ReduceMean", x, axis: 1), graph.reduced("ReduceMax", x, axis: 1)], axis: 1)
  }
}
