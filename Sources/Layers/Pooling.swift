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

  /// - Parameter roundsUp: whether a window that only begins inside the padded image counts too, as in PyTorch's
  ///   `ceil_mode`.
  func outputShape(for input: FeatureShape, roundsUp: Bool = false) throws -> FeatureShape {
    guard input.height + 2 * padding >= size, input.width + 2 * padding >= size else {
      throw WorkbenchError(
        "A pooling window of \(size) is larger than the padded \(input.height)×\(input.width) image.")
    }
    func extent(_ input: Int) -> Int {
      let count = (input + 2 * padding - size + (roundsUp ? stride - 1 : 0)) / stride + 1
      // None starts behind the image.
      return (count - 1) * stride >= input + padding ? count - 1 : count
    }
    var shape = input
    shape.height = extent(input.height)
    shape.width = extent(input.width)
    return shape
  }

  /// The part of window `index` that lies inside `extent` pixels.
  func range(_ index: Int, _ extent: Int) -> Range<Int> {
    let first = index * stride - padding
    return max(first, 0)..<min(first + size, extent)
  }

  /// A function of the values of each window.
  func reference(_ input: Tensor64, roundsUp: Bool = false, _ function: ([Double]) -> Double) -> Tensor64 {
    let shape = FeatureShape(
      batch: input.shape[0], height: input.shape[1], width: input.shape[2], channels: input.shape[3])
    guard let output = try? outputShape(for: shape, roundsUp: roundsUp) else {
      preconditionFailure("unchecked shape \(shape)")
    }
    return Tensor64(output.extents) { image, y, x, channel in
      function(
        range(y, shape.height).flatMap { row in
          range(x, shape.width).map { input[image, row, $0, channel] }
        })
    }
  }
}

/// The largest value of each window; the first one wins a tie, as in PyTorch.
public final class MaxPooling: HoldsDecisions {
  private let window: PoolingWindow
  private let roundsUp: Bool
  private var saved: (shape: [Int], indices: [Int32])?

  /// A pooling layer with the given window.
  ///
  /// - Parameter roundsUp: whether windows may reach over the far edge, as in PyTorch's `ceil_mode`.
  public init(_ window: PoolingWindow, roundsUp: Bool = false) {
    self.window = window
    self.roundsUp = roundsUp
  }

  public var printedName: String { "MaxPool2d" }
  public var printedArguments: String {
    window.printed + ", dilation=1, ceil_mode=\(roundsUp ? "True" : "False")"
  }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.count <= Int(Int32.max) else {
      throw WorkbenchError("Max pooling takes fewer than 2³¹ elements, not \(input); use smaller batches.")
    }
    return try window.outputShape(for: input, roundsUp: roundsUp)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    _ = Decisions.ofDefinition?.made(by: self) {
      let places = Tensor64(input.values.indices.map(Double.init), input.shape)
      let winners = window.reference(places, roundsUp: roundsUp) { places in
        places.reduce(places[0]) { input.values[Int($1)] > input.values[Int($0)] ? $1 : $0 }
      }
      return winners.values.map { Int32($0) }
    }
    return window.reference(input, roundsUp: roundsUp) { $0.max() ?? 0 }
  }

  /// Comparisons; backward, an addition to each window's winner.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input)
    return pass == .backward
      ? Cost(adds: output.count, bytes: 4 * (input.count + 2 * output.count))
      : Cost(
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
    if let decisions = context.decisions {
      winners = decisions.made(by: self) { winners }
      input.withPointer { x in
        result.withMutablePointer { y in
          for (position, index) in winners.enumerated() { y[position] = x[Int(index)] }
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
public final class AveragePooling: HoldsDecisions {
  private let window: PoolingWindow
  private var inputShape: FeatureShape?

  /// A pooling layer with the given window.
  public init(_ window: PoolingWindow) { self.window = window }

  public var printedName: String { "AvgPool2d" }
  public var printedArguments: String { window.printed }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try window.outputShape(for: input)
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    window.reference(input) { $0.reduce(0, +) / Double(window.size * window.size) }
  }

  /// The sum of each window and its division; backward, the share of each pixel and its addition.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let output = try outputShape(for: input), values = window.size * window.size
    return Cost(
      adds: output.count * (pass == .backward ? values : values - 1), otherOps: output.count,
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
