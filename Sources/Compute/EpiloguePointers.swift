import CHints

/// The limits of a ReLU's outputs: from zero to `most`.
struct Limits {
  let most: Float
}

extension Vector {
  /// The values within limits.
  @_transparent func within(_ limits: Limits) -> Vector {
    maximum(.zero).minimum(Vector(repeating: limits.most))
  }
}

/// An epilogue for the microkernels, `min(relu(sum + bias + residual), most)`: pointers that are valid during one call.
public struct EpiloguePointers {
  /// One value for each output of all groups.
  let bias: UnsafePointer<Float>?
  /// The distance from an output to its residual, in bytes.
  private let residual: Int?
  private let relu: Bool
  private let most: Float

  /// Nothing follows: sums are stored as they are.
  @inline(__always)
  public init() {
    bias = nil
    residual = nil
    relu = false
    most = .infinity
  }

  /// Whether nothing is done to the sums except for the bias from which they start.
  @inline(__always) var isPlain: Bool { residual == nil && !relu }

  /// Whether a residual is added to the sums.
  @inline(__always) var hasResidual: Bool { residual != nil }

  /// The limits of the outputs if they are all that is applied to the sums; else nil.
  @inline(__always) var limits: Limits? { residual == nil && relu ? Limits(most: most) : nil }

  /// - Parameters:
  ///   - bias: one value for each output channel, or nil.
  ///   - residual: an array laid out as the output, or nil.
  ///   - output: the output's first element.
  ///   - relu: whether max(·, 0) is taken.
  ///   - most: the largest output after it.
  public init(
    bias: UnsafePointer<Float>?, residual: UnsafePointer<Float>? = nil, output: UnsafeMutablePointer<Float>?,
    relu: Bool = false, most: Float = .infinity
  ) {
    self.bias = bias
    self.relu = relu
    self.most = most
    self.residual = residual.map { Int(bitPattern: $0) - Int(bitPattern: output) }
  }

  /// Stores the first `lanes` of a vector of sums.
  @inline(__always)
  func store(_ sum: Vector, _ output: UnsafeMutablePointer<Float>, _ lanes: Int) {
    if lanes >= Vector.scalarCount {
      finished(sum, output).store(output)
    } else {
      withUnsafeBytes(of: sum) {
        if let sums = $0.baseAddress?.assumingMemoryBound(to: Float.self) { storePart(sums, output, lanes) }
      }
    }
  }

  /// A vector of sums with what belongs to it; `output` is where it will be stored.
  @inline(__always)
  func finished(_ sum: Vector, _ output: UnsafeMutablePointer<Float>) -> Vector {
    var y = sum
    if let residual {
      y += UnsafeRawPointer(output).advanced(by: residual).loadUnaligned(as: Vector.self)
    }
    return relu ? y.maximum(.zero).minimum(Vector(repeating: most)) : y
  }

  /// Asks for the line of an output, and for that of its residual.
  @inline(__always)
  func prefetch(_ output: UnsafeMutablePointer<Float>) {
    workbench_prefetch_close(output)
    if let residual { workbench_prefetch_close(UnsafeRawPointer(output).advanced(by: residual)) }
  }

  /// Applies it to `columns` sums that are stored already.
  @inline(__always)
  func finish(_ output: UnsafeMutablePointer<Float>, _ columns: Int) { store(from: output, output, columns) }

  @inline(never)
  private func storePart(_ sums: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ columns: Int)
  {
    store(from: sums, output, columns)
  }

  @inline(__always)
  private func store(
    from sums: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ columns: Int
  ) {
    var column = 0
    while column &+ Vector.scalarCount <= columns {
      finished(Vector(at: sums + column), output + column).store(output + column)
      column = column &+ Vector.scalarCount
    }
    for column in column..<max(columns, column) {
      var y = sums[column]
      if let residual {
        y += UnsafeRawPointer(output + column).advanced(by: residual).load(as: Float.self)
      }
      if relu { y = y < 0 ? 0 : y > most ? most : y }
      output[column] = y
    }
  }
}
