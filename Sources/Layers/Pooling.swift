import Compute
import Tensors

/// The window of a pooling layer, with the same extent, stride and padding in both directions.
public struct PoolingWindow: Hashable, Sendable {
  /// The rows and columns of the window.
  public let size: Int
  /// How far windows are apart.
  public let stride: Int
  /// Rows and columns added on each side.
  public let padding: Int

  /// A window; refuses one whose padding could fill it.
  public init(size: Int, stride: Int, padding: Int = 0) throws {
    guard size > 0, stride > 0, padding >= 0, padding * 2 <= size else {
      throw WorkbenchError(
        "A pooling window of size \(size), stride \(stride) and padding \(padding) is not possible: padding may be at most half the size."
      )
    }
    self.size = size
    self.stride = stride
    self.padding = padding
  }

  /// As PyTorch prints it.
  var printed: String { "kernel_size=\(size), stride=\(stride), padding=\(padding)" }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.height + 2 * padding >= size, input.width + 2 * padding >= size else {
      throw WorkbenchError(
        "A pooling window of \(size) is larger than the padded \(input.height)×\(input.width) image.")
    }
    var shape = input
    shape.height = (input.height + 2 * padding - size) / stride + 1
    shape.width = (input.width + 2 * padding - size) / stride + 1
    return shape
  }

  /// The part of window `index` that lies inside `extent` pixels.
  func range(_ index: Int, _ extent: Int) -> Range<Int> {
    let first = index * stride - padding
    return max(first, 0)..<min(first + size, extent)
  }
}

/// The largest value of each window; the first one wins a tie, as in PyTorch.
public final class MaxPooling: Layer {
  private let window: PoolingWindow
  private var saved: (shape: [Int], indices: [Int32])?

  /// A pooling layer with the given window.
  public init(_ window: PoolingWindow) { self.window = window }

  public var printedName: String { "MaxPool2d" }
  public var printedArguments: String { window.printed + ", dilation=1, ceil_mode=False" }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.count <= Int(Int32.max) else {
      throw WorkbenchError("Max pooling takes fewer than 2³¹ elements, not \(input); use smaller batches.")
    }
    return try window.outputShape(for: input)
  }

  public func cost(for input: FeatureShape) throws -> Cost {
    let output = try outputShape(for: input)
    return Cost(
      otherOps: output.count * (window.size * window.size - 1), bytes: 4 * (input.count + output.count))
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    guard let output = try? outputShape(for: shape) else { preconditionFailure("unchecked shape \(shape)") }
    var result = Tensor(uninitialized: output.extents)
    var winners: [Int32] = []
    input.withPointer { x in
      result.withMutablePointer { y in
        func pool(_ winners: UnsafeMutablePointer<Int32>?) {
          maximumPooling(
            x, shape, y, output, size: window.size, stride: window.stride, padding: window.padding,
            winners: winners, threads: context.threads)
        }
        guard context.training else { return pool(nil) }
        winners = Array(unsafeUninitializedCapacity: output.count) { buffer, count in
          pool(buffer.baseAddress)
          count = output.count
        }
      }
    }
    if context.training { saved = (input.shape, winners) }
    return result
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let (shape, indices) = saved.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    var result = Tensor(repeating: 0, shape)
    gradient.withPointer { g in
      result.withMutablePointer { dx in
        for (position, index) in indices.enumerated() { dx[Int(index)] += g[position] }
      }
    }
    return result
  }
}

/// The mean of each window; padding counts as zeros, as in PyTorch by default.
public final class AveragePooling: Layer {
  private let window: PoolingWindow
  private var inputShape: FeatureShape?

  /// A pooling layer with the given window.
  public init(_ window: PoolingWindow) { self.window = window }

  public var printedName: String { "AvgPool2d" }
  public var printedArguments: String { window.printed }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try window.outputShape(for: input)
  }

  public func cost(for input: FeatureShape) throws -> Cost {
    let output = try outputShape(for: input)
    return Cost(
      adds: output.count * (window.size * window.size - 1), otherOps: output.count,
      bytes: 4 * (input.count + output.count))
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    guard let output = try? outputShape(for: shape) else { preconditionFailure("unchecked shape \(shape)") }
    let channels = shape.channels, factor = 1 / Float(window.size * window.size)
    var result = Tensor(repeating: 0, output.extents)
    input.withPointer { x in
      result.withMutablePointer { y in
        forEachWindow(window, shape, output) { target, source in
          for channel in 0..<channels { y[target &+ channel] += factor * x[source &+ channel] }
        }
      }
    }
    if context.training { inputShape = shape }
    return result
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    guard let shape = inputShape.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    let channels = shape.channels, factor = 1 / Float(window.size * window.size)
    var result = Tensor(repeating: 0, shape.extents)
    gradient.withPointer { g in
      result.withMutablePointer { dx in
        forEachWindow(window, shape, FeatureShape(gradient)) { target, source in
          for channel in 0..<channels { dx[source &+ channel] += factor * g[target &+ channel] }
        }
      }
    }
    return result
  }
}

/// The mean of each cell of a fixed grid laid over the image, as PyTorch's `AdaptiveAvgPool2d`.
public final class AdaptiveAveragePooling: Layer {
  private let height: Int, width: Int
  private var inputShape: FeatureShape?

  /// A grid of `height` × `width` cells; 1 × 1 is global average pooling.
  public init(height: Int = 1, width: Int = 1) {
    self.height = height
    self.width = width
  }

  public var printedName: String { "AdaptiveAvgPool2d" }
  public var printedArguments: String { "output_size=(\(height), \(width))" }

  public func outputShape(for input: FeatureShape) -> FeatureShape {
    FeatureShape(batch: input.batch, height: height, width: width, channels: input.channels)
  }

  public func cost(for input: FeatureShape) -> Cost {
    let output = outputShape(for: input)
    var sums = 0
    forEachCell(FeatureShape(batch: 1, height: input.height, width: input.width, channels: 1)) { _, _, _ in
      sums += 1
    }
    return Cost(
      adds: sums * input.batch * input.channels - output.count, otherOps: output.count,
      bytes: 4 * (input.count + output.count))
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input), channels = shape.channels
    var result = Tensor(repeating: 0, outputShape(for: shape).extents)
    input.withPointer { x in
      result.withMutablePointer { y in
        forEachCell(shape) { target, source, factor in
          for channel in 0..<channels { y[target &+ channel] += factor * x[source &+ channel] }
        }
      }
    }
    if context.training { inputShape = shape }
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
        forEachCell(shape) { target, source, factor in
          for channel in 0..<channels { dx[source &+ channel] += factor * g[target &+ channel] }
        }
      }
    }
    return result
  }

  /// Visits every pixel of every cell: (offset of the cell, offset of the pixel, 1 / pixels of the cell).
  @inline(__always)
  private func forEachCell(_ input: FeatureShape, _ body: (Int, Int, Float) -> Void) {
    func range(_ cell: Int, _ cells: Int, _ extent: Int) -> Range<Int> {
      cell * extent / cells..<((cell + 1) * extent + cells - 1) / cells
    }
    for image in 0..<input.batch {
      for y in 0..<height {
        let rows = range(y, height, input.height)
        for x in 0..<width {
          let columns = range(x, width, input.width)
          let target = ((image * height + y) * width + x) * input.channels
          for row in rows {
            for column in columns {
              let source = ((image * input.height + row) * input.width + column) * input.channels
              body(target, source, 1 / Float(rows.count * columns.count))
            }
          }
        }
      }
    }
  }
}

/// Visits every pixel of every window, row by row: (offset of the output pixel, offset of the input pixel).
@inline(__always)
private func forEachWindow(
  _ window: PoolingWindow, _ input: FeatureShape, _ output: FeatureShape, _ body: (Int, Int) -> Void
) {
  for image in 0..<input.batch {
    for y in 0..<output.height {
      for x in 0..<output.width {
        let target = ((image * output.height + y) * output.width + x) * input.channels
        for row in window.range(y, input.height) {
          for column in window.range(x, input.width) {
            body(target, ((image * input.height + row) * input.width + column) * input.channels)
          }
        }
      }
    }
  }
}
