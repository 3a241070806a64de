import Tensors

/// A layer whose output is interpolated to the size of its input.
public final class Resized: Container, Defined, TorchPrinted, HoldsDecisions {
  private let inner: any Layer
  private let stride: (height: Int, width: Int)
  private let mode: Upsampling.Mode
  /// By the input's size: a map is made once.
  private var known: (height: Int, width: Int, upsampling: Upsampling)?
  private var saved = Saved<Upsampling>()

  /// A layer, such as image pooling or a segmentation network, before an interpolation to its input's size.
  ///
  /// - Parameters:
  ///   - inner: the layer.
  ///   - stride: the stride of the parallel branches; the size is then that of every stride-th pixel.
  ///   - mode: how it is interpolated.
  public init(
    _ inner: any Layer, every stride: (height: Int, width: Int) = (1, 1), mode: Upsampling.Mode = .bilinear
  ) {
    self.inner = inner
    self.stride = stride
    self.mode = mode
  }

  public var children: [NamedLayer] { [("", inner)] }
  public var printedName: String { inner.typeName }
  public var isExactOnIntegers: Bool { false }

  private func upsampling(_ height: Int, _ width: Int) -> Upsampling {
    if let known, known.height == height, known.width == width { return known.upsampling }
    let upsampling = Upsampling(
      height: (height + stride.height - 1) / stride.height, width: (width + stride.width - 1) / stride.width,
      mode: mode)
    known = (height, width, upsampling)
    return upsampling
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try upsampling(input.height, input.width).outputShape(for: inner.outputShape(for: input))
  }

  public func steps(for input: FeatureShape) throws -> [ContainerStep] {
    [
      .layer(("", inner), input),
      .layer(("interpolate", upsampling(input.height, input.width)), try inner.outputShape(for: input)),
    ]
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let upsampling = upsampling(input.shape[1], input.shape[2])
    saved.keep(upsampling, context)
    return context.run(("interpolate", upsampling), context.run(("", inner), input))
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let inside = context.runBackward(saved.take(), gradient, input: .needed)
    return context.runBackward(inner, inside, input: input)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    upsampling(input.shape[1], input.shape[2])
      .reference(inner.definition(input, parameters, training: training), [], training: training)
  }
}

extension Resized: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    let y = try graph.layer(("", inner), x, shape), upsampling = upsampling(shape.height, shape.width)
    return try graph.layer(("interpolate", upsampling), y, inner.outputShape(for: shape))
  }
}
