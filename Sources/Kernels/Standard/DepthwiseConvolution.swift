import Compute
import Layers
import Tensors

/// Convolution with as many groups as channels, vectorised over the channels.
final class DepthwiseConvolution: ConvolutionAlgorithm {
  let name = "depthwise"
  private let geometry: ConvolutionGeometry

  init(_ geometry: ConvolutionGeometry) throws {
    self.geometry = geometry
    guard Self.serves(geometry) else {
      throw WorkbenchError(
        "The algorithm depthwise takes one input and one output channel a group, not \(geometry.inputChannels) and \(geometry.outputChannels) in \(geometry.groups) groups; use direct."
      )
    }
  }

  /// Whether it can compute a convolution.
  static func serves(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.groups == geometry.inputChannels && geometry.groups == geometry.outputChannels
  }

  func forward(_ x: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor {
    let shape = shape(FeatureShape(x))
    var y = Tensor(uninitialized: shape.output.extents)
    withPointers(x, filter.value) { x, w in
      y.withMutablePointer { y in
        finish.withPointers(output: y) {
          Depthwise.forward(shape.engine, x: x, weights: w, y: y, finish: $0, threads: context.threads)
        }
      }
    }
    return y
  }

  /// At stride 1, a depthwise convolution of g with the turned window.
  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ weight: Parameter, adding summand: Tensor?, _ context: Context
  ) -> Tensor {
    let shape = shape(FeatureShape(x)), taps = geometry.taps, channels = geometry.inputChannels
    var dx = Tensor(uninitialized: x.shape)
    withPointers(g, weight.value) { g, w in
      dx.withMutablePointer { dx in
        guard geometry.stride == Pair(1) else {
          return Depthwise.inputGradient(shape.engine, g: g, weights: w, dx: dx, threads: context.threads)
        }
        withScratch(taps * channels) { turned in
          for tap in 0..<taps {
            (turned + tap * channels).update(from: w + (taps - 1 - tap) * channels, count: channels)
          }
          Depthwise.forward(
            shape.turned, x: g, weights: turned, y: dx, finish: StoreOptions(), threads: context.threads)
        }
      }
    }
    if let summand { dx.add(summand, threads: context.threads) }
    return dx
  }

  func weightGradient(_ g: Tensor, _ x: Tensor, _ weight: Parameter, _ context: Context) -> Tensor {
    let shape = shape(FeatureShape(x))
    var dw = Tensor(uninitialized: weight.value.shape)
    withPointers(g, x) { g, x in
      dw.withMutablePointer {
        Depthwise.weightGradient(shape.engine, x: x, g: g, dw: $0, threads: context.threads)
      }
    }
    return dw
  }

  private struct Shapes {
    let output: FeatureShape
    let engine: DepthwiseShape
    let turned: DepthwiseShape
  }

  private func shape(_ input: FeatureShape) -> Shapes {
    let g = geometry, output = g.checkedOutput(input)
    func make(_ input: FeatureShape, _ output: FeatureShape, _ stride: Pair, top: Int, left: Int)
      -> DepthwiseShape
    {
      DepthwiseShape(
        input: input, output: output, kernel: (g.kernel.height, g.kernel.width),
        stride: (stride.height, stride.width), dilation: (g.dilation.height, g.dilation.width), top: top,
        left: left)
    }
    return Shapes(
      output: output, engine: make(input, output, g.stride, top: g.padding.top, left: g.padding.left),
      turned: make(
        output, input, Pair(1), top: g.dilation.height * (g.kernel.height - 1) - g.padding.top,
        left: g.dilation.width * (g.kernel.width - 1) - g.padding.left))
  }
}
