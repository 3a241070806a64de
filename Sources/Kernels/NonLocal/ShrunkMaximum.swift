import Layers
import Tensors

/// Max pooling with adjacent windows, none larger than the image.
final class ShrunkMaximum: Defined, HoldsDecisions {
  private let size: Int
  /// By the window: one image may be smaller than the next.
  private var poolings: [Int: MaxPooling] = [:]
  private var saved = Saved<MaxPooling>()

  /// Windows of `size` × `size` pixels.
  init(_ size: Int) { self.size = size }

  private func layer(_ height: Int, _ width: Int) -> MaxPooling {
    let size = max(1, min(size, height, width))
    if let known = poolings[size] { return known }
    guard let window = try? PoolingWindow(size: size, stride: size) else {
      preconditionFailure("a window of \(size) is possible")
    }
    let made = MaxPooling(window)
    poolings[size] = made
    return made
  }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try layer(input.height, input.width).outputShape(for: input)
  }

  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    try layer(input.height, input.width).cost(for: input, pass: pass)
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let layer = layer(input.shape[1], input.shape[2])
    saved.keep(layer, context)
    return layer.forward(input, context)
  }

  func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor {
    saved.take().backward(gradient, input: input, context)
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    layer(input.shape[1], input.shape[2]).reference(input, parameters, training: training)
  }
}

extension ShrunkMaximum: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    try graph.layer(("", layer(shape.height, shape.width)), x, shape)
  }
}
