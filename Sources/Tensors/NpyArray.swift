/// The contents of a `.npy` file: a shape, and values in row-major order in the file's own type.
package struct NpyArray: Sendable {
  /// The supported types, by NumPy's names without the byte order.
  package enum ElementType: String, Sendable {
    case b1, i1, u1, i2, u2, i4, u4, i8, u8, f4, f8

    /// Bytes per value.
    package var size: Int {
      switch self {
      case .b1, .i1, .u1: 1
      case .i2, .u2: 2
      case .i4, .u4, .f4: 4
      case .i8, .u8, .f8: 8
      }
    }

    /// Whether values are whole numbers; booleans count as 0 and 1.
    package var isInteger: Bool { self != .f4 && self != .f8 }
  }

  /// The file it came from, for error sentences.
  package let path: String
  /// The extent of each axis, outermost first.
  package let shape: [Int]
  /// The type of the values in the file.
  package let type: ElementType
  let isBigEndian: Bool
  /// The values as they are stored in the file.
  let bytes: [UInt8]

  /// The number of values.
  package var count: Int { bytes.count / type.size }

  /// The values rounded to single precision, in the file's axis order; a double too large becomes infinite.
  package func tensor() throws -> Tensor {
    try Tensor.checkSize(shape, path)
    var result = Tensor(uninitialized: shape)
    result.withMutablePointer { target in
      switch type {
      case .b1: each(UInt8.self) { target[$0] = $1 == 0 ? 0 : 1 }
      case .i1: each(UInt8.self) { target[$0] = Float(Int8(bitPattern: $1)) }
      case .u1: each(UInt8.self) { target[$0] = Float($1) }
      case .i2: each(UInt16.self) { target[$0] = Float(Int16(bitPattern: $1)) }
      case .u2: each(UInt16.self) { target[$0] = Float($1) }
      case .i4: each(UInt32.self) { target[$0] = Float(Int32(bitPattern: $1)) }
      case .u4: each(UInt32.self) { target[$0] = Float($1) }
      case .i8: each(UInt64.self) { target[$0] = Float(Int64(bitPattern: $1)) }
      case .u8: each(UInt64.self) { target[$0] = Float($1) }
      case .f4: each(UInt32.self) { target[$0] = Float(bitPattern: $1) }
      case .f8: each(UInt64.self) { target[$0] = Float(Double(bitPattern: $1)) }
      }
    }
    return result
  }

  /// The values as integers in row-major order.
  ///
  /// - Throws: a ``WorkbenchError`` if they are floats, or if one is larger than `Int.max`.
  package func integers() throws -> [Int] {
    guard type.isInteger else {
      throw WorkbenchError(
        "\(path) must hold integers, not \(type.rawValue); convert it with array.astype('int64').")
    }
    var isTooLarge = false
    let result = [Int](unsafeUninitializedCapacity: count) { target, filled in
      switch type {
      case .b1: each(UInt8.self) { target[$0] = $1 == 0 ? 0 : 1 }
      case .i1: each(UInt8.self) { target[$0] = Int(Int8(bitPattern: $1)) }
      case .u1: each(UInt8.self) { target[$0] = Int($1) }
      case .i2: each(UInt16.self) { target[$0] = Int(Int16(bitPattern: $1)) }
      case .u2: each(UInt16.self) { target[$0] = Int($1) }
      case .i4: each(UInt32.self) { target[$0] = Int(Int32(bitPattern: $1)) }
      case .u4: each(UInt32.self) { target[$0] = Int($1) }
      case .i8: each(UInt64.self) { target[$0] = Int(Int64(bitPattern: $1)) }
      case .u8, .f4, .f8:
        each(UInt64.self) {
          target[$0] = Int(truncatingIfNeeded: $1)
          isTooLarge = isTooLarge || $1 > UInt64(Int.max)
        }
      }
      filled = count
    }
    guard !isTooLarge else {
      throw WorkbenchError("\(path) holds integers above \(Int.max), which are not supported.")
    }
    return result
  }

  /// Calls `body` with the position and the bits of every value, in this machine's byte order.
  @inline(__always)
  private func each<Bits: FixedWidthInteger>(_: Bits.Type, _ body: (Int, Bits) -> Void) {
    let size = MemoryLayout<Bits>.size
    bytes.withUnsafeBytes { bytes in
      for index in 0..<bytes.count / size {
        let bits = bytes.loadUnaligned(fromByteOffset: index &* size, as: Bits.self)
        body(index, isBigEndian ? Bits(bigEndian: bits) : Bits(littleEndian: bits))
      }
    }
  }
}
