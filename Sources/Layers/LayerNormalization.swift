import Compute
import Foundation
import Tensors

/// Each pixel's channels normalised by their own mean and variance, then scaled and shifted channel by channel (Ba et al.,
/// 2016, arXiv:1607.06450): PyTorch's `LayerNorm` over channels that come last.
public final class LayerNormalization: Defined, TorchPrinted, HoldsDecisions {
  private let weight: Parameter, bias: Parameter
  private let epsilon: Double
  /// The normalised input, and what its pixels were divided by.
  private var saved = Saved<(normalized: Tensor, inverse: [Float])>()

  /// A normalisation of `channels` channels; `epsilon` is added to variances.
  public init(channels: Int, epsilon: Double = 1e-6) {
    weight = Parameter(Tensor(repeating: 1, [channels]), layout: .plain, decays: false)
    bias = Parameter(Tensor(repeating: 0, [channels]), layout: .plain, decays: false, role: .bias)
    self.epsilon = epsilon
  }

  public var ownState: [NamedParameter] { [NamedParameter("weight", weight), NamedParameter("bias", bias)] }
  public var printedName: String { "LayerNorm" }
  public var printedArguments: String { "(\(weight.value.count),), eps=\(epsilon), elementwise_affine=True" }
  public var isExactOnIntegers: Bool { false }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.channels == weight.value.count else {
      throw WorkbenchError("The normalisation takes \(weight.value.count) channels, not \(input.channels).")
    }
    return input
  }

  /// Two sums and two differences for each value, a scale and a shift; for each pixel two divisions and a root. Backward,
  /// products for two sums and the gradients to scale and shift.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let count = input.count, parameters = parameterCount
    return pass == .backward
      ? Cost(
        parameters: parameters, macs: 3 * count, adds: 3 * count, otherOps: 2 * count,
        bytes: 12 * count + 8 * parameters)
      : Cost(
        parameters: parameters, macs: 2 * count, adds: 2 * count - input.pixels,
        otherOps: count + 3 * input.pixels, bytes: 8 * count + 4 * parameters)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let channels = input.shape[3], pixels = input.count / channels
    var normalized = Tensor(uninitialized: input.shape), y = Tensor(uninitialized: input.shape)
    var inverse = [Float](repeating: 0, count: pixels)
    withPointers(input, weight.value, bias.value) { x, scale, shift in
      normalized.withMutablePointer { normalized in
        y.withMutablePointer { y in
          inverse.withUnsafeMutableBufferPointer { inverse in
            guard let inverse = inverse.baseAddress else { return }
            PixelNormalization.forward(
              x, scale: scale, shift: shift, normalized: normalized, y: y, inverse: inverse, pixels: pixels,
              channels: channels, epsilon: self.epsilon, threads: context.threads)
          }
        }
      }
    }
    saved.keep((normalized, inverse), context)
    return y
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (normalized, inverse) = saved.take(), threads = context.threads
    let channels = normalized.shape[3], pixels = normalized.count / channels
    bias.gradient = sums(gradient, threads: threads)
    weight.gradient = sums(gradient.times(normalized, threads: threads), threads: threads)
    guard input.isNeeded else { return InputGradient.nothing }
    var dx = Tensor(uninitialized: normalized.shape)
    withPointers(gradient, normalized, weight.value) { g, v, scale in
      dx.withMutablePointer { dx in
        parallel(pixels, threads: threads, grain: 64) { range in
          for pixel in range {
            let first = pixel * channels
            var sum = 0.0, products = 0.0
            for channel in 0..<channels {
              let scaled = Double(g[first + channel] * scale[channel])
              sum += scaled
              products += scaled * Double(v[first + channel])
            }
            let mean = Float(sum / Double(channels)), slope = Float(products / Double(channels))
            for channel in 0..<channels {
              let scaled = g[first + channel] * scale[channel]
              dx[first + channel] = (scaled - mean - v[first + channel] * slope) * inverse[pixel]
            }
          }
        }
      }
    }
    return input.total(dx, threads: threads)
  }

  private func sums(_ values: Tensor, threads: Int) -> Tensor {
    let channels = values.shape[3]
    let sums = values.withPointer {
      channelSum($0, rows: values.count / channels, channels: channels, threads: threads)
    }
    return Tensor(sums.map(Float.init), [channels])
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let channels = input.shape[3]
    return Tensor64(input.shape) { image, row, column, channel in
      let pixel = (0..<channels).map { input[image, row, column, $0] }
      let mean = pixel.reduce(0, +) / Double(channels)
      let variance = pixel.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
      let value = (pixel[channel] - mean) / (variance + epsilon).squareRoot()
      return value * parameters[0].values[channel] + parameters[1].values[channel]
    }
  }
}

extension LayerNormalization: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let last = graph.node("Transpose", [x], ["perm": .ints([0, 2, 3, 1])])
    let y = graph.node(
      "LayerNormalization", [last, graph.constant("weight", weight), graph.constant("bias", bias)],
      ["axis": .int(-1), "epsilon": .float(Float(epsilon))])
    return graph.node("Transpose", [y], ["perm": .ints([0, 3, 1, 2])])
  }
}
