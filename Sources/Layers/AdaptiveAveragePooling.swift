import Compute
import Tensors

/// The mean of each cell of a fixed grid laid over the image, as PyTorch's `AdaptiveAvgPool2d`.
public final class AdaptiveAveragePooling: Defined, TorchPrinted, HoldsDecisions {
  private let height: Int, width: Int
  private let maps = PixelMaps()
  private var saved = Saved<FeatureShape>()

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
    let rows = (0..<height).reduce(0) { $0 + range($1, height, input.height).count }
    let columns = (0..<width).reduce(0) { $0 + range($1, width, input.width).count }
    return Cost(
      adds: rows * columns * input.batch * input.channels - (pass == .backward ? 0 : output.count),
      otherOps: output.count,
      bytes: 4 * (input.count + output.count))
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input)
    saved.keep(shape, context)
    return maps[shape, map].applied(to: input, outputShape(for: shape), context)
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let shape = saved.take()
    return input.total(
      maps[shape, map].transposed(gradient, shape, context), threads: context.threads)
  }

  /// The mean of each cell.
  private func map(_ input: FeatureShape) -> PixelMap {
    PixelMap(sources: input.height * input.width, targets: height * width) { term in
      for y in 0..<height {
        let rows = range(y, height, input.height)
        for x in 0..<width {
          let columns = range(x, width, input.width), share = 1 / Float(rows.count * columns.count)
          for row in rows {
            for column in columns { term(y * width + x, row * input.width + column, share) }
          }
        }
      }
    }
  }

  public var isExactOnIntegers: Bool { false }

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
}

extension AdaptiveAveragePooling: EndsFeatureMaps {
  public var isPooling: Bool { true }
}

extension AdaptiveAveragePooling: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    if height == 1, width == 1 { return graph.node("GlobalAveragePool", [x]) }
    /// Each row of the result has the mean over its range: [cells, extent].
    func means(_ cells: Int, _ extent: Int) -> Tensor {
      var matrix = Tensor(repeating: 0, [cells, extent])
      for cell in 0..<cells {
        let range = range(cell, cells, extent)
        for place in range { matrix[cell * extent + place] = 1 / Float(range.count) }
      }
      return matrix
    }
    let rows = graph.constant("rows", means(height, shape.height))
    let columns = graph.constant("columns", means(width, shape.width).toFileOrder(.matrix))
    return graph.node("MatMul", [graph.node("MatMul", [rows, x]), columns])
  }
}
