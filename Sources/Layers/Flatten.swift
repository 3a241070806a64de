import Tensors

/// All values of an image as the channels of one pixel, in PyTorch's order: channel, row, column.
public final class Flatten: Defined, TorchPrinted, HoldsDecisions {
  private var saved = Saved<FeatureShape>()

  /// A flattening.
  public init() {}

  public var printedArguments: String { "start_dim=1, end_dim=-1" }

  public func outputShape(for input: FeatureShape) -> FeatureShape {
    FeatureShape(
      batch: input.batch, height: 1, width: 1, channels: input.height * input.width * input.channels)
  }

  /// It only moves values.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost { Cost(bytes: 8 * input.count) }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    saved.keep(shape, context)
    return input.toFileOrder(.features).reshaped(outputShape(for: shape).extents)
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let shape = saved.take()
    let whole = gradient.reshaped([shape.batch, shape.channels, shape.height, shape.width])
    return input.total(whole.fromFileOrder(.features), threads: context.threads)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let (height, width) = (input.shape[1], input.shape[2])
    return Tensor64([input.shape[0], 1, 1, height * width * input.shape[3]]) { image, _, _, index in
      input[image, index / width % height, index % width, index / (height * width)]
    }
  }
}

extension Flatten: EndsFeatureMaps {
  public var isPooling: Bool { false }
}

extension Flatten: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    graph.reshaped(x, [0, -1, 1, 1])
  }
}
