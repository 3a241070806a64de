import Foundation

/// A dense array of 32-bit floats in row-major order, aligned to 64 bytes, with value semantics.
///
/// Feature maps are `[batch, height, width, channels]` (NHWC), convolution weights `[kernel height, kernel width,
/// input channels / groups, output channels]` (HWIO), matrices `[inputs, outputs]`. Files use PyTorch's layouts;
/// `TensorLayout` converts when files are read or written.
public struct Tensor: Sendable {
  /// The extent of each axis, outermost first.
  public let shape: [Int]
  private var storage: Storage

  /// A tensor whose values are undefined until written.
  public init(uninitialized shape: [Int]) {
    self.shape = shape
    storage = Storage(count: shape.reduce(1, *))
  }

  /// A tensor of one repeated value.
  public init(repeating value: Float = 0, _ shape: [Int]) {
    self.init(uninitialized: shape)
    storage.pointer.update(repeating: value, count: count)
  }

  /// A tensor of the given values in row-major order; their number must be the product of `shape`.
  public init(_ values: [Float], _ shape: [Int]) {
    self.init(uninitialized: shape)
    precondition(values.count == count, "\(values.count) values for shape \(shape)")
    for (index, value) in values.enumerated() { storage.pointer[index] = value }
  }

  /// The number of elements.
  public var count: Int { storage.count }

  /// The values in row-major order.
  public var values: [Float] { Array(UnsafeBufferPointer(start: storage.pointer, count: count)) }

  /// The same values under another shape with the same number of elements.
  public func reshaped(_ shape: [Int]) -> Tensor {
    precondition(shape.reduce(1, *) == count, "cannot reshape \(self.shape) to \(shape)")
    return Tensor(shape: shape, storage: storage)
  }

  private init(shape: [Int], storage: Storage) {
    self.shape = shape
    self.storage = storage
  }

  /// Calls `body` with a pointer to the first element, valid during the call.
  @inline(__always)
  public func withPointer<Result, Failure: Error>(
    _ body: (UnsafePointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let result = try body(UnsafePointer(storage.pointer))
    extendLifetime(storage)
    return result
  }

  /// A tensor of the same shape, written by `body` while it reads this one, element by element; in the same memory if
  /// there is no other reference.
  @inline(__always)
  public consuming func mapped(
    _ body: (_ values: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    if isKnownUniquelyReferenced(&storage) {
      body(UnsafePointer(storage.pointer), storage.pointer)
      return self
    }
    var result = Tensor(uninitialized: shape)
    result.withMutablePointer { result in withPointer { body($0, result) } }
    return result
  }

  /// Calls `body` with a writable pointer to the first element, valid during the call; copies first if the
  /// values are shared.
  @inline(__always)
  public mutating func withMutablePointer<Result, Failure: Error>(
    _ body: (UnsafeMutablePointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if !isKnownUniquelyReferenced(&storage) {
      let copy = Storage(count: count)
      copy.pointer.update(from: storage.pointer, count: count)
      storage = copy
    }
    let result = try body(storage.pointer)
    extendLifetime(storage)
    return result
  }

  /// The element at a row-major position.
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count)
      return storage.pointer[index]
    }
    set {
      precondition(index >= 0 && index < count)
      withMutablePointer { $0[index] = newValue }
    }
  }
}

extension Tensor: Equatable {
  /// Whether shapes are equal and all values compare equal.
  public static func == (left: Tensor, right: Tensor) -> Bool {
    left.shape == right.shape && left.values == right.values
  }
}

extension Tensor {
  /// The floats in a sixteenth of this machine's memory; it is asked for once, because layers check shapes at every pass.
  private static let mostElements = Int(clamping: ProcessInfo.processInfo.physicalMemory / 64)

  /// Refuses a shape with a negative extent, or one that needs more than a sixteenth of this machine's memory:
  /// inputs, outputs, gradients and their copies in other layouts must fit into memory together.
  ///
  /// - Parameters:
  ///   - shape: the extents, outermost first.
  ///   - name: what the sentence calls the tensor.
  public static func checkSize(_ shape: [Int], _ name: String) throws {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
      guard extent >= 0 else { throw WorkbenchError("\(name) has a negative extent in its shape \(shape).") }
      guard !overflow, product <= mostElements else {
        throw WorkbenchError(
          "\(name) of shape \(shape) does not fit into this machine's memory; use smaller sizes.")
      }
      count = product
    }
  }
}

extension Tensor {
  /// One image of several, NHWC; nil if there are fewer.
  package func image(_ number: Int) -> Tensor? {
    shape.count == 4 && (0..<shape[0]).contains(number) ? batchElement(number) : nil
  }

  /// One element of a batch, with a first axis of 1.
  ///
  /// - Parameter index: less than the first extent.
  package func batchElement(_ index: Int) -> Tensor {
    var result = Tensor(uninitialized: [1] + shape.dropFirst())
    let count = result.count
    withPointer { x in result.withMutablePointer { $0.update(from: x + index * count, count: count) } }
    return result
  }
}
