import Tensors

/// The window of a pooling layer, with the same extent, stride and padding in both directions.
public struct PoolingWindow: Hashable, Sendable {
  /// The rows and columns of the window.
  public let size: Int
  /// The step from one window to the next, in rows and columns.
  public let stride: Int
  /// Rows and columns added on each side.
  public let padding: Int

  /// A window.
  ///
  /// - Throws: a `WorkbenchError` if the padding is more than half the size.
  public init(size: Int, stride: Int, padding: Int = 0) throws {
    guard size > 0, stride > 0, padding >= 0, padding * 2 <= size else {
      throw WorkbenchError(
        "A pooling window of size \(size), stride \(stride) and padding \(padding) is not possible, because padding may be at most half the size."
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
    let beyond = 2 * padding + (roundsUp ? stride - 1 : 0)
    guard input.height + beyond >= size, input.width + beyond >= size else {
      throw WorkbenchError(
        "A pooling window of \(size) is larger than the padded \(input.height)×\(input.width) image.")
    }
    func extent(_ input: Int) -> Int {
      let count = (input + 2 * padding - size + (roundsUp ? stride - 1 : 0)) / stride + 1
      // None starts after the image.
      return (count - 1) * stride >= input + padding ? count - 1 : count
    }
    var shape = input
    shape.height = extent(input.height)
    shape.width = extent(input.width)
    return shape
  }

  /// The part of window `index` that is inside `extent` pixels.
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
