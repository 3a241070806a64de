/// A row-major array of 64-bit floats: what reference implementations read and write.
public struct Tensor64: Sendable, Equatable {
  /// The extent of each axis, outermost first.
  public var shape: [Int]
  /// The values in row-major order.
  public var values: [Double]

  /// An array of one repeated value.
  public init(repeating value: Double = 0, _ shape: [Int]) {
    self.shape = shape
    values = Array(repeating: value, count: shape.reduce(1, *))
  }

  /// The given values under a shape.
  public init(_ values: [Double], _ shape: [Int]) {
    precondition(values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
    self.shape = shape
    self.values = values
  }

  /// The values of a single-precision tensor.
  public init(_ tensor: Tensor) {
    shape = tensor.shape
    values = tensor.values.map(Double.init)
  }

  /// The element of a four-axis array.
  @inlinable public subscript(a: Int, b: Int, c: Int, d: Int) -> Double {
    get { values[((a * shape[1] + b) * shape[2] + c) * shape[3] + d] }
    set { values[((a * shape[1] + b) * shape[2] + c) * shape[3] + d] = newValue }
  }
}

extension Tensor {
  /// The values rounded to single precision.
  public init(_ array: Tensor64) { self.init(array.values.map(Float.init), array.shape) }
}
