import Tensors

/// Bilinear interpolation to the size of an image, as PyTorch's `interpolate` without aligned corners.
public final class Upsampling: HoldsDecisions {
  private let height: Int, width: Int
  private var inputShape: FeatureShape?

  /// An interpolation to `height` × `width` pixels.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  public var printedArguments: String { "size=(\(height), \(width)), mode=bilinear" }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let output = FeatureShape(batch: input.batch, height: height, width: width, channels: input.channels)
    try Tensor.checkSize(output.extents, "The interpolated image")
    return output
  }

  /// Four products and three sums for each value; backward, four products that are added to its neighbours.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input), bytes = 4 * (input.count + output.count)
    return pass == .backward
      ? Cost(macs: 4 * output.count, bytes: bytes) : Cost(otherOps: 7 * output.count, bytes: bytes)
  }

  /// Two neighbours along one axis, and the second one's share.
  private func neighbours(_ place: Int, _ extent: Int, _ from: Int) -> (Int, Int, Double) {
    let position = max((Double(place) + 0.5) * Double(from) / Double(extent) - 0.5, 0)
    let first = min(Int(position), from - 1)
    return (first, min(first + 1, from - 1), position - Double(first))
  }

  /// Visits each output pixel: its index, and its four neighbours with their shares.
  private func forEachPixel(_ input: FeatureShape, _ body: (Int, [(pixel: Int, share: Float)]) -> Void) {
    let columns = (0..<width).map { neighbours($0, width, input.width) }
    for image in 0..<input.batch {
      for row in 0..<height {
        let (top, bottom, y) = neighbours(row, height, input.height)
        for (column, (left, right, x)) in columns.enumerated() {
          func pixel(_ row: Int, _ column: Int) -> Int { (image * input.height + row) * input.width + column }
          body(
            (image * height + row) * width + column,
            [
              (pixel(top, left), Float((1 - y) * (1 - x))), (pixel(top, right), Float((1 - y) * x)),
              (pixel(bottom, left), Float(y * (1 - x))), (pixel(bottom, right), Float(y * x)),
            ])
        }
      }
    }
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input), channels = shape.channels
    if context.training { inputShape = shape }
    var result = Tensor(repeating: 0, [shape.batch, height, width, channels])
    input.withPointer { x in
      result.withMutablePointer { y in
        forEachPixel(shape) { target, sources in
          for (source, share) in sources where share != 0 {
            for channel in 0..<channels {
              y[target &* channels &+ channel] += share * x[source &* channels &+ channel]
            }
          }
        }
      }
    }
    return result
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let shape = inputShape.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    let channels = shape.channels
    var result = Tensor(repeating: 0, shape.extents)
    gradient.withPointer { g in
      result.withMutablePointer { dx in
        forEachPixel(shape) { target, sources in
          for (source, share) in sources where share != 0 {
            for channel in 0..<channels {
              dx[source &* channels &+ channel] += share * g[target &* channels &+ channel]
            }
          }
        }
      }
    }
    return result
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    Tensor64([input.shape[0], height, width, input.shape[3]]) { image, row, column, channel in
      let (top, bottom, y) = neighbours(row, height, input.shape[1])
      let (left, right, x) = neighbours(column, width, input.shape[2])
      let above = (1 - x) * input[image, top, left, channel] + x * input[image, top, right, channel]
      let below = (1 - x) * input[image, bottom, left, channel] + x * input[image, bottom, right, channel]
      return (1 - y) * above + y * below
    }
  }
}

/// A layer whose output is brought back to the size of its input, bilinearly.
public final class Resized: Container, HoldsDecisions {
  private let inner: any Layer
  private let stride: (height: Int, width: Int)
  private var upsampling: Upsampling?

  /// A layer, such as image pooling or a segmentation network, before an interpolation to its input's size.
  ///
  /// - Parameter stride: that of the layers beside it: the size is then that of every stride-th pixel.
  public init(_ inner: any Layer, every stride: (height: Int, width: Int) = (1, 1)) {
    self.inner = inner
    self.stride = stride
  }

  public var children: [NamedLayer] { inner.children }
  public var parts: [any Layer] { [inner] }
  public var printedName: String { inner.printedName }

  private func upsampling(_ input: FeatureShape) -> Upsampling {
    upsampling(input.height, input.width)
  }

  private func upsampling(_ height: Int, _ width: Int) -> Upsampling {
    Upsampling(
      height: (height + stride.height - 1) / stride.height, width: (width + stride.width - 1) / stride.width)
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try upsampling(input).outputShape(for: inner.outputShape(for: input))
  }

  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    try inner.cost(for: input, pass: pass)
      + upsampling(input).cost(for: inner.outputShape(for: input), pass: pass)
  }

  public func summaries(_ name: String, for input: FeatureShape) throws -> [LayerSummary] {
    return try inner.summaries(name, for: input)
      + upsampling(input).summaries(dotted(name, "interpolate"), for: inner.outputShape(for: input))
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let upsampling = upsampling(FeatureShape(input))
    if context.training { self.upsampling = upsampling }
    let output = inner.forward(input, context)
    return upsampling.profiled("interpolate", output, context) { upsampling.forward($0, context) }
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let upsampling = upsampling.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    return inner.backward(upsampling.backward(gradient, context), context)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    upsampling(input.shape[1], input.shape[2])
      .reference(inner.reference(input, parameters, training: training), [], training: training)
  }
}
