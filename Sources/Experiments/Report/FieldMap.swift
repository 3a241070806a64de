import Tensors

/// A receptive field as an image: rows of values, from 0 to 1 of the largest.
struct FieldMap: Sendable {
  /// The rows.
  let rows: [[Double]]

  /// Reads an array of height × width, with any number of axes of extent 1 before them.
  init(_ path: String) throws {
    let array = try NpyFile.read(path)
    let extents = Array(array.shape.drop { $0 == 1 })
    guard extents.count == 2, extents.allSatisfy({ (1...4096).contains($0) }) else {
      throw WorkbenchError("\(path) has the shape \(array.shape); a receptive field is height × width.")
    }
    let values = try array.tensor().values.map { $0.isFinite ? Double(abs($0)) : 0 }
    let largest = values.max() ?? 0
    rows = (0..<extents[0]).map { row in
      (0..<extents[1]).map { values[row * extents[1] + $0] / (largest > 0 ? largest : 1) }
    }
  }
}
