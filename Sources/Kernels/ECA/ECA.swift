import Foundation
import Layers
import Tensors

/// Efficient channel attention: each channel is multiplied by a factor computed from the means of its neighbours.
struct ECA: WrappingKernel {
  let name = "eca"
  let summary =
    "another kernel, then each channel is multiplied by a factor computed from the means of neighbouring channels"
  let formula = "y = u · σ(w ∗ mean(u)), w k numbers along the channels, u the inner kernel's output"
  let paper = "Wang et al., 2019, arXiv:1910.03151"
  let options: [any AnyKernelOption] = [window, KernelOptions.around]

  private static let window = KernelOption(
    "window", .oneOf([0, 1, 3, 5, 7, 9, 11, 13, 15]), initial: 0,
    help: "the number of neighbours, odd; 0: the paper's, the odd number next to (log₂ C + 1) / 2")

  var inner = KernelChoice.standard

  func attention(_ site: KernelSite) throws -> [NamedLayer] {
    let given = site.options[Self.window], window = given > 0 ? given : Self.window(of: site.geometry)
    let line = try ConvolutionGeometry(
      inputChannels: 1, outputChannels: 1, kernel: Pair(1, window),
      padding: Padding(Pair(0, window / 2)))
    let convolution = try site.convolution("conv", line)
    return [
      (
        "attention",
        Gate(
          Sequential([
            ("mean", AdaptiveAveragePooling()), ("", AlongChannels(convolution)), ("sigmoid", Sigmoid()),
          ]))
      )
    ]
  }

  /// Rounded as in the authors' code: the integer part, or the next number if that is even.
  private static func window(of geometry: ConvolutionGeometry) -> Int {
    let extent = Int((log2(Double(geometry.outputChannels)) + 1) / 2)
    return extent % 2 == 1 ? extent : extent + 1
  }
}

/// A layer on images of one pixel that treats their channels as a row of pixels.
final class AlongChannels: Defined, HoldsDecisions, TorchPrinted {
  private let inner: NamedLayer

  /// `inner` takes images of one row and one channel, and keeps their size.
  init(_ inner: NamedLayer) { self.inner = inner }

  var children: [NamedLayer] { [inner] }

  private func row(_ input: FeatureShape) -> FeatureShape {
    FeatureShape(batch: input.batch, height: 1, width: input.channels, channels: 1)
  }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    _ = try inner.layer.outputShape(for: row(input))
    return input
  }

  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    try inner.layer.cost(for: row(input), pass: pass)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    inner.layer.forward(input.reshaped(row(FeatureShape(input)).extents), context).reshaped(input.shape)
  }

  func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let shape = FeatureShape(gradient), g = gradient.reshaped(row(shape).extents)
    guard input.isNeeded else { return inner.layer.backward(g, input: input, context) }
    let dx = inner.layer.backward(g, input: .needed, context).reshaped(shape.extents)
    return input.total(dx, threads: context.threads)
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let line = Tensor64(input.values, [input.shape[0], 1, input.shape[3], 1])
    let output = inner.layer.definition(line, parameters, training: training)
    return Tensor64(output.values, input.shape)
  }
}

extension AlongChannels: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let line = graph.reshaped(x, [0, 1, 1, shape.channels])
    return graph.reshaped(try graph.layer(inner, line, row(shape)), [0, shape.channels, 1, 1])
  }
}
