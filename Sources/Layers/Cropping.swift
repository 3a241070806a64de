import Compute
import Tensors

/// Crops a number of rows and columns from each side of an image.
///
/// With (k − 1) / 2 rows and columns cropped, a k×k layer that keeps the size gives what it would give without
/// padding.
public final class Cropping: Defined, TorchPrinted, HoldsDecisions {
  private let rows: Int, columns: Int
  private var saved = Saved<FeatureShape>()

  /// Crops `rows` at the top and bottom, and `columns` on the left and right.
  public init(rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0)
    self.rows = rows
    self.columns = columns
  }

  public var printedArguments: String { "\(rows), \(columns)" }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    guard input.height > 2 * rows, input.width > 2 * columns else {
      throw WorkbenchError(
        "Nothing is left of \(input) after \(rows) rows and \(columns) columns are cropped from each side; use larger images."
      )
    }
    return kept(of: input)
  }

  private func kept(of input: FeatureShape) -> FeatureShape {
    var shape = input
    shape.height -= 2 * rows
    shape.width -= 2 * columns
    return shape
  }

  /// Nothing is counted: another layer would need neither the padding nor the cropping.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost { Cost() }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input), kept = kept(of: shape)
    saved.keep(shape, context)
    var result = Tensor(uninitialized: kept.extents)
    input.withPointer { x in
      result.withMutablePointer { y in
        copyRuns(
          x, y, count: kept.batch * kept.height, length: kept.width * kept.channels, threads: context.threads
        ) { (start(of: $0, shape), $0 * kept.width * kept.channels) }
      }
    }
    return result
  }

  public func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let shape = saved.take(), kept = kept(of: shape)
    var whole = Tensor(repeating: 0, shape.extents)
    gradient.withPointer { g in
      whole.withMutablePointer { dx in
        copyRuns(
          g, dx, count: kept.batch * kept.height, length: kept.width * kept.channels, threads: context.threads
        ) { ($0 * kept.width * kept.channels, start(of: $0, shape)) }
      }
    }
    return input.total(whole, threads: context.threads)
  }

  /// Where a row that stays starts in the whole.
  private func start(of row: Int, _ whole: FeatureShape) -> Int {
    let (image, row) = row.quotientAndRemainder(dividingBy: whole.height - 2 * rows)
    return ((image * whole.height + row + rows) * whole.width + columns) * whole.channels
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let shape = input.shape
    return Tensor64([shape[0], shape[1] - 2 * rows, shape[2] - 2 * columns, shape[3]]) {
      input[$0, $1 + rows, $2 + columns, $3]
    }
  }
}

extension Cropping: ONNXExported {
  public func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value
  {
    graph.slice(
      graph.slice(x, axis: 2, rows..<shape.height - rows), axis: 3, columns..<shape.width - columns)
  }
}
