import Compute
import Tensors

/// The mean of each window; padding counts as zeros, as in PyTorch by default.
public final class AveragePooling: Defined, TorchPrinted, HoldsDecisions {
  private let window: PoolingWindow
  private let maps = PixelMaps()
  private var saved = Saved<FeatureShape>()

  /// A pooling layer with the given window.
  public init(_ window: PoolingWindow) { self.window = window }

  public var printedName: String { "AvgPool2d" }
  public var printedArguments: String { window.printed }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try window.outputShape(for: input)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    window.reference(input) { $0.reduce(0, +) / Double(window.size * window.size) }
  }

  /// The sum of each window and its division; backward, the share of each pixel and its addition.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input), values = window.size * window.size
    return Cost(
      adds: output.count * (pass == .backward ? values : values - 1), otherOps: output.count,
      bytes: 4 * (input.count + output.count))
  }

  public var isExactOnIntegers: Bool { false }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    saved.keep(shape, context)
    return maps[shape, map].applied(to: input, checkedOutput(shape), context)
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let shape = saved.take()
    return input.total(maps[shape, map].transposed(gradient, shape, context), threads: context.threads)
  }

  private func checkedOutput(_ input: FeatureShape) -> FeatureShape {
    guard let output = try? outputShape(for: input) else { preconditionFailure("unchecked shape \(input)") }
    return output
  }

  /// The mean of each window.
  private func map(_ input: FeatureShape) -> PixelMap {
    let output = checkedOutput(input), share = 1 / Float(window.size * window.size)
    return PixelMap(sources: input.height * input.width, targets: output.height * output.width) { term in
      for y in 0..<output.height {
        for x in 0..<output.width {
          for row in window.range(y, input.height) {
            for column in window.range(x, input.width) {
              term(y * output.width + x, row * input.width + column, share)
            }
          }
        }
      }
    }
  }
}

extension AveragePooling: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    graph.node(
      "AveragePool", [x],
      [
        "kernel_shape": .ints([window.size, window.size]), "strides": .ints([window.stride, window.stride]),
        "pads": .ints(Array(repeating: window.padding, count: 4)), "count_include_pad": .int(1),
      ])
  }
}
