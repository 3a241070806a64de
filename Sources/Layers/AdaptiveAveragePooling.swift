import Compute
import Tensors

/// The mean of each cell of a fixed grid laid over the image, as PyTorch's `AdaptiveAvgPool2d`.
public final class AdaptiveAveragePooling: HoldsDecisions {
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

  /// The sum of each cell and its division; backward, the share of each pixel and its addition.
  public func cost(for input: FeatureShape, pass: Cost.Pass) -> Cost {
    let output = outputShape(for: input)
    var sums = 0
    forEachCell(FeatureShape(batch: 1, height: input.height, width: input.width, channels: 1)) { _, _, _ in
      sums += 1
    }
    return Cost(
      adds: sums * input.batch * input.channels - (pass == .backward ? 0 : output.count),
      otherOps: output.count,
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

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    Tensor64([input.shape[0], height, width, input.shape[3]]) { image, y, x, channel in
      let rows = range(y, height, input.shape[1]), columns = range(x, width, input.shape[2])
      let sum = rows.reduce(0) { sum, row in
        columns.reduce(sum) { $0 + input[image, row, $1, channel] }
      }
      return sum / Double(rows.count * columns.count)
    }
  }

  private func range(_ cell: Int, _ cells: Int, _ extent: Int) -> Range<Int> {
    cell * extent / cells..<((cell + 1) * extent + cells - 1) / cells
  }

  /// Visits every pixel of every cell: (offset of the cell, offset of the pixel, 1 / pixels of the cell).
  @inline(__always)
  private func forEachCell(_ input: FeatureShape, _ body: (Int, Int, Float) -> Void) {
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
