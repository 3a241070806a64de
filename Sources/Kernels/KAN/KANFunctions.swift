import Compute
import Foundation
import Layers
import Tensors

/// The functions in which a Kolmogorov–Arnold convolution is linear: for each value x the swish x · σ(x), then cubic
/// splines of x.
///
/// The splines have a uniform grid. Spline k, counted from 1, is ((2 − u)₊³ − 4 · (1 − u)₊³) / 6, where u is the
/// distance of x from its centre, −range + (k − 2) · step, in steps of the grid. The functions of a channel follow
/// one another.
final class KANFunctions: Defined, HoldsDecisions, TorchPrinted {
  private let range: Double
  private let step: Double
  /// The number of functions of each value.
  let count: Int
  private var saved = Saved<Tensor>()

  /// A grid of `intervals` intervals from −range to range.
  init(grid: Int, range: Double) {
    self.range = range
    step = 2 * range / Double(grid)
    count = grid + 4
  }

  var isExactOnIntegers: Bool { false }
  var printedArguments: String { "grid=\(count - 4), range=\(range)" }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    var output = input
    output.channels *= count
    try Tensor.checkSize(output.extents, "The output of the functions")
    return output
  }

  /// A sigmoid and a product; for each spline 14 operations: a difference, a division and a magnitude; two differences and
  /// two comparisons; two products for each cube; a product, a difference and a division. Backward, a sigmoid and the four
  /// operations of x · (1 − σ) · σ + σ; for each spline 13: the same seven, two squares, and (2b² − a²/2) / step. Each slope
  /// is multiplied with its gradient and added.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let splines = (count - 1) * input.count, bytes = 4 * (input.count + count * input.count)
    return pass == .backward
      ? Cost(
        macs: input.count + splines, otherOps: 5 * input.count + 13 * splines, bytes: bytes + 4 * input.count)
      : Cost(otherOps: 2 * input.count + 14 * splines, bytes: bytes)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    saved.keep(input, context)
    let count = count, start = Float(-range - step), scale = Float(1 / step)
    var y = Tensor(uninitialized: input.shape.dropLast() + [input.shape[3] * count])
    input.withPointer { x in
      y.withMutablePointer { y in
        parallel(input.count, threads: context.threads, grain: 256) { values in
          for index in values {
            let x = x[index], y = y + index * count
            y[0] = x / (1 + exp(-x))
            for k in 1..<count {
              let u = abs((x - start) * scale - Float(k - 1)), a = max(2 - u, 0), b = max(1 - u, 0)
              y[k] = (a * a * a - 4 * b * b * b) / 6
            }
          }
        }
      }
    }
    return y
  }

  func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let x = saved.take(), count = count, start = Float(-range - step), scale = Float(1 / step)
    var dx = Tensor(uninitialized: x.shape)
    withPointers(x, gradient) { x, g in
      dx.withMutablePointer { dx in
        parallel(gradient.count / count, threads: context.threads, grain: 256) { values in
          for index in values {
            let x = x[index], g = g + index * count, share = 1 / (1 + exp(-x))
            var sum = g[0] * (share + x * share * (1 - share))
            for k in 1..<count {
              let d = (x - start) * scale - Float(k - 1), u = abs(d), a = max(2 - u, 0), b = max(1 - u, 0)
              let slope = (2 * b * b - 0.5 * a * a) * scale
              sum += g[k] * (d < 0 ? -slope : slope)
            }
            dx[index] = sum
          }
        }
      }
    }
    return input.total(dx, threads: context.threads)
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    Tensor64(input.shape.dropLast() + [input.shape[3] * count]) { [self] image, row, column, place in
      let x = input[image, row, column, place / count], k = place % count
      if k == 0 { return x / (1 + exp(-x)) }
      return spline((x + range) / step + 3 - Double(k - 1), 3)
    }
  }

  /// The cardinal spline of a degree on 0 … degree + 1, by de Boor's recursion.
  private func spline(_ u: Double, _ degree: Int) -> Double {
    if degree == 0 { return u >= 0 && u < 1 ? 1 : 0 }
    let n = Double(degree)
    return (u * spline(u, degree - 1) + (n + 1 - u) * spline(u - 1, degree - 1)) / n
  }
}

extension KANFunctions: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let wide = graph.reshaped(x, [0, shape.channels, 1, shape.height, shape.width])
    let middles = (1..<count).map { Float(-(Double($0 - 2) - range / step)) }
    let u = graph.node(
      "Abs",
      [
        graph.node(
          "Add",
          [
            graph.scalar("Mul", wide, Float(1 / step)),
            graph.constant("middles", Tensor(middles, [1, 1, middles.count, 1, 1])),
          ])
      ])
    func cube(from end: Float) -> ONNXGraph.Value {
      let a = graph.node("Relu", [graph.scalar("Add", graph.node("Neg", [u]), end)])
      return graph.node("Mul", [graph.node("Mul", [a, a]), a])
    }
    let splines = graph.scalar(
      "Mul", graph.node("Add", [cube(from: 2), graph.scalar("Mul", cube(from: 1), -4)]), 1 / 6)
    let swish = graph.node("Mul", [wide, graph.node("Sigmoid", [wide])])
    return graph.reshaped(
      graph.concatenated([swish, splines], axis: 2),
      [0, shape.channels * count, shape.height, shape.width])
  }
}
