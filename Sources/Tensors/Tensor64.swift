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

extension Tensor64 {
  /// The array of the same shape with a function of each value.
  public func map(_ function: (Double) -> Double) -> Tensor64 { Tensor64(values.map(function), shape) }

  /// The elementwise sum; both shapes must be equal.
  public static func + (a: Tensor64, b: Tensor64) -> Tensor64 {
    precondition(a.shape == b.shape, "cannot add \(a.shape) and \(b.shape)")
    return Tensor64(zip(a.values, b.values).map { $0 + $1 }, a.shape)
  }

  /// The array of a shape of four axes whose values a function gives.
  public init(_ shape: [Int], _ value: (_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> Double) {
    self.init(repeating: 0, shape)
    for a in 0..<shape[0] {
      for b in 0..<shape[1] {
        for c in 0..<shape[2] { for d in 0..<shape[3] { self[a, b, c, d] = value(a, b, c, d) } }
      }
    }
  }
}

extension Tensor {
  /// The values rounded to single precision.
  public init(_ array: Tensor64) { self.init(array.values.map(Float.init), array.shape) }
}
