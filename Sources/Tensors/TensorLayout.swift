/// How a tensor's axes are ordered in files (PyTorch's order) and in memory.
public enum TensorLayout: Sendable {
  /// Feature maps: NCHW in files, NHWC in memory.
  case features
  /// Convolution weights: OIHW in files, HWIO in memory.
  case convolution
  /// A matrix: [outputs, inputs] in files, [inputs, outputs] in memory.
  case matrix
  /// The same in both.
  case plain

  /// For each axis in memory, the axis of the file that it comes from.
  var memoryAxes: [Int]? {
    switch self {
    case .features: [0, 2, 3, 1]
    case .convolution: [2, 3, 1, 0]
    case .matrix: [1, 0]
    case .plain: nil
    }
  }

  /// The shape in a file of a tensor that has `shape` in memory.
  public func fileShape(_ shape: [Int]) -> [Int] {
    guard let axes = memoryAxes else { return shape }
    var result = shape
    for (memory, file) in axes.enumerated() { result[file] = shape[memory] }
    return result
  }
}

extension Tensor {
  /// This tensor, in a file's axis order, brought into memory order.
  ///
  /// The number of axes must be the layout's: the reader of the file checks it.
  public func fromFileOrder(_ layout: TensorLayout) -> Tensor {
    guard let axes = layout.memoryAxes else { return self }
    return permuted(axes)
  }

  /// This tensor, in memory order, brought into a file's axis order.
  public func toFileOrder(_ layout: TensorLayout) -> Tensor {
    guard let axes = layout.memoryAxes else { return self }
    var inverse = axes
    for (memory, file) in axes.enumerated() { inverse[file] = memory }
    return permuted(inverse)
  }

  /// A copy whose axis `i` is this tensor's axis `axes[i]`.
  func permuted(_ axes: [Int]) -> Tensor {
    precondition(axes.count == shape.count, "\(axes.count) axes expected, found shape \(shape)")
    var strides = Array(repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1] }
    let newShape = axes.map { shape[$0] }, newStrides = axes.map { strides[$0] }
    var result = Tensor(uninitialized: newShape)
    guard count > 0 else { return result }
    let inner = newShape[newShape.count - 1], innerStride = newStrides[newShape.count - 1]
    let outer = count / inner
    withPointer { source in
      result.withMutablePointer { target in
        var index = Array(repeating: 0, count: newShape.count - 1)
        var offset = 0
        for row in 0..<outer {
          let from = source + offset, to = target + row * inner
          for column in 0..<inner { to[column] = from[column * innerStride] }
          for axis in index.indices.reversed() {
            index[axis] += 1
            offset += newStrides[axis]
            if index[axis] < newShape[axis] { break }
            offset -= newStrides[axis] * newShape[axis]
            index[axis] = 0
          }
        }
      }
    }
    return result
  }
}
