import Foundation

/// NumPy's `.npy` files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
package enum NpyFile {
  /// Reads an array of booleans, integers or floats (32 or 64 bits), of 0 to 32 axes in C order.
  ///
  /// The header is compared with the file's size before memory is allocated.
  ///
  /// - Parameter limit: the largest file accepted, in bytes.
  /// - Throws: a ``WorkbenchError`` that names the file and the reason.
  package static func read(_ path: String, limit: Int = .max) throws -> NpyArray {
    let file = try RegularFile(path, limit: limit)
    var position = 0
    func take(_ count: Int, _ part: String) throws -> [UInt8] {
      guard count <= file.size - position else {
        throw WorkbenchError(
          "\(path) is not a complete .npy file: its \(part) needs \(count) bytes, and"
            + " \(file.size - position) are left.")
      }
      position += count
      return try file.read(count)
    }

    guard try take(6, "signature") == signature else {
      throw WorkbenchError(
        "\(path) is not a .npy file: it does not start with \\x93NUMPY; write it with numpy.save.")
    }
    let version = try take(2, "version")
    guard (1...3).contains(version[0]), version[1] == 0 else {
      throw WorkbenchError(
        "\(path) has .npy version \(version[0]).\(version[1]), but only 1.0, 2.0 and 3.0 are supported.")
    }
    let lengthBytes = try take(version[0] == 1 ? 2 : 4, "header length")
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= longestHeader || length > file.size - position else {
      throw WorkbenchError(
        "\(path) has a .npy header of \(length) bytes, more than the limit of \(longestHeader).")
    }
    let header: NpyHeader
    do {
      header = try NpyHeader(try take(length, "header"))
    } catch let reason as NpyHeader.Invalid {
      throw WorkbenchError("\(path) cannot be read as a .npy file: \(reason.reason).")
    }

    try Tensor.checkSize(header.shape, path)
    let (needed, overflow) = header.shape.reduce(1, *).multipliedReportingOverflow(by: header.type.size)
    let present = file.size - position
    guard !overflow, needed == present else {
      throw WorkbenchError(
        "\(path) holds \(present) bytes of values, but its shape \(header.shape) of type"
          + " \(header.type.rawValue) needs \(overflow ? "more than 2⁶³" : "\(needed)");"
          + " it may be truncated or damaged.")
    }
    return NpyArray(
      path: path, shape: header.shape, type: header.type, isBigEndian: header.isBigEndian,
      bytes: try take(needed, "array"))
  }

  /// Writes a tensor in memory order, as 32-bit little-endian floats in C order (`<f4`, version 1.0).
  ///
  /// - Throws: a ``WorkbenchError`` if the file cannot be written; then no file appears (``AtomicFile``).
  package static func write(_ tensor: Tensor, to path: String) throws {
    try AtomicFile.write(try contents(tensor, path), to: path)
  }

  /// The whole file of a tensor; `path` is where it goes, for error sentences.
  package static func contents(_ tensor: Tensor, _ path: String) throws -> Data {
    guard tensor.shape.count <= 32 else {
      throw WorkbenchError(
        "\(path) cannot be written: a .npy file has at most 32 axes, not \(tensor.shape.count).")
    }
    let extents = tensor.shape.map { "\($0)" }.joined(separator: ", ")
    let tuple = tensor.shape.count == 1 ? "(\(extents),)" : "(\(extents))"
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(tuple), }"
    let unpadded = signature.count + 4 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    let length = UInt16(header.utf8.count)  // At most 32 extents of 20 digits.

    var data = Data(signature + [1, 0, UInt8(length & 255), UInt8(length >> 8)])
    data.append(contentsOf: header.utf8)
    let start = data.count
    let count = tensor.count
    data.append(Data(count: count * 4))
    data.withUnsafeMutableBytes { target in
      let values = UnsafeMutableRawBufferPointer(rebasing: target[start...])
      tensor.withPointer { source in
        for index in 0..<count {
          values.storeBytes(
            of: source[index].bitPattern.littleEndian, toByteOffset: index * 4, as: UInt32.self)
        }
      }
    }
    return data
  }

  private static let signature: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let longestHeader = 65_535
}
