import Foundation

/// A small symmetric matrix in double precision, row by row.
struct SymmetricMatrix {
  let size: Int
  private var values: [Double]

  /// The matrix whose elements a function gives; it is asked for those on and below the diagonal.
  init(_ size: Int, _ element: (_ row: Int, _ column: Int) -> Double) {
    self.size = size
    values = Array(repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0...row {
        let value = element(row, column)
        values[row * size + column] = value
        values[column * size + row] = value
      }
    }
  }

  subscript(row: Int, column: Int) -> Double {
    get { values[row * size + column] }
    set { values[row * size + column] = newValue }
  }

  /// The logarithm of the determinant by Cholesky's factors, or nil if the matrix is not positive definite.
  var logDeterminant: Double? {
    var factor = self, sum = 0.0
    let largest = (0..<size).map { self[$0, $0] }.max() ?? 0
    for column in 0..<size {
      let pivot =
        self[column, column] - (0..<column).reduce(0) { $0 + factor[column, $1] * factor[column, $1] }
      // Below this it is rounding.
      guard pivot > 1e-13 * largest * Double(size) else { return nil }
      factor[column, column] = pivot.squareRoot()
      sum += 2 * log(factor[column, column])
      for row in column + 1..<max(size, column + 1) {
        let rest = self[row, column] - (0..<column).reduce(0) { $0 + factor[row, $1] * factor[column, $1] }
        factor[row, column] = rest / factor[column, column]
      }
    }
    return sum
  }

  /// The eigenvalues by Jacobi's rotations, in no order.
  var eigenvalues: [Double] {
    var a = self
    let scale = values.reduce(0) { $0 + $1 * $1 }
    guard scale.isFinite else { return Array(repeating: .nan, count: size) }
    for _ in 0..<60 {
      var rest = 0.0
      for row in 0..<size { for column in 0..<row { rest += 2 * a[row, column] * a[row, column] } }
      if rest <= 1e-30 * scale { break }
      for p in 0..<size { for q in p + 1..<max(size, p + 1) { a.rotate(p, q) } }
    }
    return (0..<size).map { a[$0, $0] }
  }

  /// Rotates the plane of two axes so that their common element becomes zero.
  private mutating func rotate(_ p: Int, _ q: Int) {
    guard self[p, q] != 0 else { return }
    let theta = (self[q, q] - self[p, p]) / (2 * self[p, q])
    let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot(), s = t * c
    for k in 0..<size {
      let (x, y) = (self[k, p], self[k, q])
      self[k, p] = c * x - s * y
      self[k, q] = s * x + c * y
    }
    for k in 0..<size {
      let (x, y) = (self[p, k], self[q, k])
      self[p, k] = c * x - s * y
      self[q, k] = s * x + c * y
    }
  }
}
