import Tensors

/// A layer whose output loses so many rows and columns on each side.
///
/// A k×k layer that keeps the size gives what it would give without padding once (k − 1) / 2 rows and columns are cut
/// off.
public final class Cropped: HoldsDecisions {
  private let inner: any Layer
  private let rows: Int, columns: Int
  private var wholeShape: FeatureShape?

  /// A layer before a cut of `rows` above and below and `columns` on the left and on the right.
  public init(_ inner: any Layer, rows: Int, columns: Int) {
    precondition(rows >= 0 && columns >= 0)
    self.inner = inner
    self.rows = rows
    self.columns = columns
  }

  public var ownParameters: [NamedParameter] { inner.ownParameters }
  public var ownBuffers: [NamedParameter] { inner.ownBuffers }
  public var children: [NamedLayer] { inner.children }
  public var parts: [any Layer] { [inner] }
  public var printedName: String { inner.printedName }
  public var printedArguments: String { inner.printedArguments + ", crop=(\(rows), \(columns))" }
  public var printedChildren: [NamedLayer] { inner.printedChildren }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    var shape = try inner.outputShape(for: input)
    guard shape.height > 2 * rows, shape.width > 2 * columns else {
      throw WorkbenchError(
        "Nothing is left of \(shape) once \(rows) rows and \(columns) columns are cut off each side; use larger images."
      )
    }
    shape.height -= 2 * rows
    shape.width -= 2 * columns
    return shape
  }

  /// The inner layer's: what is cut off is computed too.
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    try inner.cost(for: input, pass: pass)
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let whole = inner.forward(input, context), shape = FeatureShape(whole)
    if context.training { wholeShape = shape }
    let kept = shape.width - 2 * columns
    var result = Tensor(
      uninitialized: [shape.batch, shape.height - 2 * rows, kept, shape.channels])
    whole.withPointer { x in
      result.withMutablePointer { y in
        forEachRow(shape) { (y + $0).update(from: x + $1, count: kept * shape.channels) }
      }
    }
    return result
  }

  public func backward(_ gradient: consuming Tensor, _ context: Context) -> Tensor {
    guard let shape = wholeShape.take() else {
      preconditionFailure("backward needs a forward pass in training")
    }
    var whole = Tensor(repeating: 0, shape.extents)
    gradient.withPointer { g in
      whole.withMutablePointer { dx in
        forEachRow(shape) {
          (dx + $1).update(from: g + $0, count: (shape.width - 2 * columns) * shape.channels)
        }
      }
    }
    return inner.backward(whole, context)
  }

  /// Visits each row that stays: where it starts in what is kept, and in the whole.
  private func forEachRow(_ whole: FeatureShape, _ body: (Int, Int) -> Void) {
    let height = whole.height - 2 * rows, width = (whole.width - 2 * columns) * whole.channels
    for image in 0..<whole.batch {
      for row in 0..<height {
        body(
          (image * height + row) * width,
          ((image * whole.height + row + rows) * whole.width + columns) * whole.channels)
      }
    }
  }

  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let whole = inner.reference(input, parameters, training: training), shape = whole.shape
    return Tensor64([shape[0], shape[1] - 2 * rows, shape[2] - 2 * columns, shape[3]]) {
      whole[$0, $1 + rows, $2 + columns, $3]
    }
  }
}
