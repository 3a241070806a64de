import Compute
import Foundation
import Layers
import Tensors

/// Softmax over the channels of each pixel, or over groups of `count` neighbouring ones, of values divided by a
/// temperature.
final class ChannelSoftmax: Defined, HoldsDecisions {
  private let temperature: Double
  private var saved = Saved<Tensor>()

  private let count: Int?

  /// A softmax over `count` channels, by default over all.
  init(over count: Int? = nil, temperature: Double = 1) {
    self.count = count
    self.temperature = temperature
  }

  var isExactOnIntegers: Bool { false }

  func outputShape(for input: FeatureShape) -> FeatureShape { input }

  /// An exponential, a difference and a product for each value, their sum and maximum. Backward, two products and a
  /// difference, and their sum. A temperature other than 1 divides in both.
  func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let count = input.count, divisions = temperature == 1 ? 0 : count
    return pass == .backward
      ? Cost(macs: count, adds: count, otherOps: count + divisions, bytes: 12 * count)
      : Cost(
        adds: 2 * count - count / (self.count ?? input.channels), otherOps: 3 * count + divisions,
        bytes: 8 * count)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    var a = divided(input, context)
    let channels = count ?? a.shape[3], rows = a.count / channels
    a.withMutablePointer { Softmax.rows($0, rows: rows, columns: channels, threads: context.threads) }
    saved.keep(a, context)
    return a
  }

  func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let a = saved.take(), channels = count ?? a.shape[3]
    var dx = Tensor(uninitialized: a.shape)
    withPointers(a, gradient) { a, g in
      dx.withMutablePointer {
        Softmax.gradient(
          a, g, $0, rows: gradient.count / channels, columns: channels, threads: context.threads)
      }
    }
    return input.total(divided(dx, context), threads: context.threads)
  }

  private func divided(_ values: consuming Tensor, _ context: Context) -> Tensor {
    guard temperature != 1 else { return values }
    let count = values.count, factor = Float(1 / temperature)
    return values.mapped { Elementwise.scale(factor, $0, $1, count: count, threads: context.threads) }
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let channels = count ?? input.shape[3], e = input.map { exp($0 / temperature) }
    return Tensor64(e.shape) { image, row, column, channel in
      let first = channel / channels * channels
      return e[image, row, column, channel]
        / (first..<first + channels).reduce(0) { $0 + e[image, row, column, $1] }
    }
  }
}

extension ChannelSoftmax: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let x = temperature == 1 ? x : graph.scalar("Mul", x, Float(1 / temperature))
    let parts = [0, shape.channels / (count ?? shape.channels), -1, shape.height, shape.width]
    let y = graph.node("Softmax", [graph.reshaped(x, parts)], ["axis": .int(2)])
    return graph.reshaped(y, [0, shape.channels, shape.height, shape.width])
  }
}
