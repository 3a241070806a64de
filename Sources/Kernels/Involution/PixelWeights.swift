import Compute
import Layers
import Tensors

/// A depthwise window whose weights a layer computes for each output pixel:
///
///     y[p, c] = Σ over t of x[p · stride + t · dilation − padding, c] · w[p, c / shared · taps + t]
///
/// The weights are the output of a layer on the same input, `[images, rows, columns, channels / shared · taps]`.
final class PixelWeights: Defined, HoldsDecisions, TorchPrinted {
  private let geometry: ConvolutionGeometry
  private let shared: Int
  private let weights: any Layer
  private var saved = Saved<(x: Tensor, w: Tensor)>()

  /// `geometry` has as many outputs as inputs; `shared` neighbouring channels have the same weights.
  init(_ geometry: ConvolutionGeometry, shared: Int, weights: any Layer) {
    precondition(geometry.inputChannels == geometry.outputChannels && geometry.inputChannels % shared == 0)
    self.geometry = geometry
    self.shared = shared
    self.weights = weights
  }

  var children: [NamedLayer] { [("weights", weights)] }
  var isExactOnIntegers: Bool { false }
  var printedArguments: String { "\(geometry.printed(bias: false)), shared=\(shared)" }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = try geometry.outputShape(for: input), made = try weights.outputShape(for: input)
    precondition(made.pixels == output.pixels && made.channels == perPixel)
    return output
  }

  /// A product for each tap and channel, and what makes the weights; backward, twice as many, and both gradients to the
  /// input are summed.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input), products = output.count * geometry.taps
    let once = 4 * (input.count + output.count + output.pixels * perPixel)
    let own =
      pass == .backward
      ? Cost(macs: 2 * products, adds: input.count, bytes: 2 * once) : Cost(macs: products, bytes: once)
    return try weights.cost(for: input, pass: pass) + own
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let w = weights.forward(input, context), output = geometry.checkedOutput(FeatureShape(input))
    saved.keep((input, w), context)
    var y = Tensor(repeating: 0, output.extents)
    withPointers(input, w) { x, w in
      y.withMutablePointer { y in
        forEachRead(of: FeatureShape(input), threads: context.threads) { pixel, tap, source in
          let y = y + pixel * channels, x = x + source * channels, w = w + pixel * perPixel + tap
          for group in 0..<channels / shared {
            let factor = w[group * geometry.taps]
            for channel in group * shared..<(group + 1) * shared { y[channel] += factor * x[channel] }
          }
        }
      }
    }
    return y
  }

  func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let (x, w) = saved.take(), shape = FeatureShape(x)
    var toWeights = Tensor(repeating: 0, w.shape)
    withPointers(x, gradient) { x, g in
      toWeights.withMutablePointer { dw in
        forEachRead(of: shape, threads: context.threads) { pixel, tap, source in
          let g = g + pixel * channels, x = x + source * channels, dw = dw + pixel * perPixel + tap
          for group in 0..<channels / shared {
            var sum: Float = 0
            for channel in group * shared..<(group + 1) * shared { sum += g[channel] * x[channel] }
            dw[group * geometry.taps] = sum
          }
        }
      }
    }
    guard input.isNeeded else { return weights.backward(toWeights, input: .unneeded, context) }
    var dx = Tensor(repeating: 0, x.shape)
    withPointers(gradient, w) { g, w in
      dx.withMutablePointer { dx in
        // Windows overlap: each thread owns a range of groups.
        parallel(channels / shared, threads: context.threads) { groups in
          forEachRead(of: shape, threads: 1) { pixel, tap, source in
            let g = g + pixel * channels, dx = dx + source * channels, w = w + pixel * perPixel + tap
            for group in groups {
              let factor = w[group * geometry.taps]
              for channel in group * shared..<(group + 1) * shared { dx[channel] += factor * g[channel] }
            }
          }
        }
      }
    }
    let both = weights.backward(toWeights, input: .plus(dx), context)
    return input.total(both, threads: context.threads)
  }

  private var channels: Int { geometry.inputChannels }
  private var perPixel: Int { channels / shared * geometry.taps }

  /// Visits each tap that lies inside the image: the number of the output pixel, of the tap and of the pixel that it reads,
  /// all images' pixels counted on.
  @inline(__always)
  private func forEachRead(of input: FeatureShape, threads: Int, _ body: (Int, Int, Int) -> Void) {
    let g = geometry, output = g.checkedOutput(input)
    parallel(output.pixels, threads: threads) { pixels in
      for pixel in pixels {
        let (line, column) = pixel.quotientAndRemainder(dividingBy: output.width)
        let (image, row) = line.quotientAndRemainder(dividingBy: output.height)
        for tap in 0..<g.taps {
          let reach = g.reach(ofTap: tap)
          let y = row * g.stride.height + reach.y - g.padding.top
          let x = column * g.stride.width + reach.x - g.padding.left
          guard y >= 0, y < input.height, x >= 0, x < input.width else { continue }
          body(pixel, tap, (image * input.height + y) * input.width + x)
        }
      }
    }
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let w = weights.definition(input, parameters, training: training), g = geometry
    return Tensor64(g.definedOutput(input.shape)) { image, row, column, channel in
      (0..<g.taps).reduce(0) { sum, tap in
        let reach = g.reach(ofTap: tap)
        let y = row * g.stride.height + reach.y - g.padding.top
        let x = column * g.stride.width + reach.x - g.padding.left
        guard (0..<input.shape[1]).contains(y), (0..<input.shape[2]).contains(x) else { return sum }
        return sum + input[image, y, x, channel] * w[image, row, column, channel / shared * g.taps + tap]
      }
    }
  }
}

/// A convolution of ones and zeros lays out what each output pixel reads; the rest are plain operators.
extension PixelWeights: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let output = try geometry.outputShape(for: shape), groups = channels / shared
    let w = graph.reshaped(
      try graph.layer(("weights", weights), x, shape),
      [0, groups, 1, geometry.taps, output.height, output.width])
    let columns = geometry.onnxConvolution(
      "Conv", [x, graph.constant("taps", geometry.unitWeights)], groups: channels, graph)
    let reads = graph.reshaped(columns, [0, groups, shared, geometry.taps, output.height, output.width])
    let y = graph.reduced("ReduceSum", graph.node("Mul", [reads, w]), axis: 3, keeps: false)
    return graph.reshaped(y, [0, channels, output.height, output.width])
  }
}
