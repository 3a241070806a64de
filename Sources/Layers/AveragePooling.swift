import Compute
import Tensors

/// The mean of each window; padding counts as zeros, as in PyTorch by default. Pixels beyond the padded image, which
/// only rounding up reaches, do not count.
public final class AveragePooling: Defined, TorchPrinted, HoldsDecisions {
  private let window: PoolingWindow
  private let roundsUp: Bool
  private let maps = PixelMaps()
  private var saved = Saved<FeatureShape>()

  /// A pooling layer with the given window.
  ///
  /// - Parameters:
  ///   - window: without padding where sizes are rounded up.
  ///   - roundsUp: whether a window that only begins inside the image counts too (PyTorch's `ceil_mode`).
  public init(_ window: PoolingWindow, roundsUp: Bool = false) {
    precondition(!roundsUp || window.padding == 0)
    self.window = window
    self.roundsUp = roundsUp
  }

  public var printedName: String { "AvgPool2d" }
  public var printedArguments: String { window.printed + (roundsUp ? ", ceil_mode=True" : "") }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try window.outputShape(for: input, roundsUp: roundsUp)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    window.reference(input, roundsUp: roundsUp) {
      $0.reduce(0, +) / Double(roundsUp ? $0.count : window.size * window.size)
    }
  }

  /// The sum of each window and its division; backward, the share of each pixel and its addition.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input)
    func values(_ windows: Int, _ extent: Int) -> Int {
      (0..<windows).reduce(0) { $0 + (roundsUp ? window.range($1, extent).count : window.size) }
    }
    let all = values(output.height, input.height) * values(output.width, input.width)
    return Cost(
      adds: all * output.batch * output.channels - (pass == .backward ? 0 : output.count),
      otherOps: output.count, bytes: 4 * (input.count + output.count))
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
    let output = checkedOutput(input)
    return PixelMap(sources: input.height * input.width, targets: output.height * output.width) { term in
      for y in 0..<output.height {
        let rows = window.range(y, input.height)
        for x in 0..<output.width {
          let columns = window.range(x, input.width)
          let share = 1 / Float(roundsUp ? rows.count * columns.count : window.size * window.size)
          for row in rows {
            for column in columns { term(y * output.width + x, row * input.width + column, share) }
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
        "pads": .ints(Array(repeating: window.padding, count: 4)),
        "count_include_pad": .int(roundsUp ? 0 : 1), "ceil_mode": .int(roundsUp ? 1 : 0),
      ])
  }
}
