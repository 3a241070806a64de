import Foundation

/// Files of named tensors: https://huggingface.co/docs/safetensors (a length, a JSON header, the values).
///
/// Values are read in order, one tensor at a time; memory is allocated only for data that exist.
package struct SafetensorsFile: ~Copyable {
  /// The types of values, by the format's names.
  package enum ElementType: String, Sendable {
    case f64 = "F64"
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case i64 = "I64"
    case i32 = "I32"
    case i16 = "I16"
    case i8 = "I8"
    case u64 = "U64"
    case u32 = "U32"
    case u16 = "U16"
    case u8 = "U8"
    case bool = "BOOL"

    /// Bytes per value.
    package var size: Int {
      switch self {
      case .f64, .i64, .u64: 8
      case .f32, .i32, .u32: 4
      case .f16, .bf16, .i16, .u16: 2
      case .i8, .u8, .bool: 1
      }
    }

    /// Whether values can be read here.
    package var isFloat: Bool { [.f64, .f32, .f16, .bf16].contains(self) }
  }

  /// One tensor's line of the header.
  package struct Entry: Sendable {
    /// The tensor's name.
    package let name: String
    /// The type of its values.
    package let type: ElementType
    /// Its extents, in PyTorch's order.
    package let shape: [Int]
    fileprivate let range: Range<Int>
  }

  /// The tensors, in the order of their values.
  package let entries: [Entry]
  /// Free text under names.
  package let metadata: [String: String]
  private let file: RegularFile
  /// Where it is.
  package var path: String { file.path }
  private var next = 0

  /// Opens a file and checks every field of its header.
  ///
  /// - Throws: a ``WorkbenchError`` that names the file and what is wrong with it.
  package init(_ path: String) throws {
    let file = try RegularFile(path)
    func broken(_ reason: String) -> WorkbenchError {
      WorkbenchError("\(path) is not a valid safetensors file: \(reason).")
    }
    guard file.size >= 8 else { throw broken("it has \(file.size) bytes, fewer than its length field") }
    let length = try file.read(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= 100_000_000, length <= UInt64(file.size - 8) else {
      throw broken("its header should have \(length) bytes, and \(file.size - 8) are left")
    }
    let header = try file.read(Int(length))
    guard header.first == UInt8(ascii: "{") else { throw broken("its header does not start with {") }
    let decoded: Header
    do {
      decoded = try JSONDecoder().decode(Header.self, from: Data(header))
    } catch let error as WorkbenchError {
      throw broken(error.description)
    } catch {
      throw broken("its header is not the JSON that is expected")
    }
    // The values follow one another without gaps, so no two names can share bytes.
    var end = 0
    let sorted = decoded.entries.sorted {
      ($0.range.lowerBound, $0.range.upperBound, $0.name) < (
        $1.range.lowerBound, $1.range.upperBound, $1.name
      )
    }
    for entry in sorted {
      guard entry.range.lowerBound == end else {
        throw broken("the values of \(entry.name) start at byte \(entry.range.lowerBound), not at \(end)")
      }
      end = entry.range.upperBound
    }
    guard end == file.size - 8 - Int(length) else {
      throw broken("its tensors have \(end) bytes, and \(file.size - 8 - Int(length)) are there")
    }
    entries = sorted
    metadata = decoded.metadata
    self.file = file
  }

  /// Reads the values of the next entry, rounded to single precision, in the file's axis order.
  ///
  /// Its type must be a floating-point type; `skip` skips an entry.
  package mutating func read() throws -> Tensor {
    let entry = entries[next]
    try Tensor.checkSize(entry.shape, "\(entry.name) of \(file.path)")
    let bytes = try file.read(entry.range.count)
    next += 1
    var result = Tensor(uninitialized: entry.shape)
    result.withMutablePointer { target in
      bytes.withUnsafeBytes { source in
        func each<Bits: FixedWidthInteger>(_: Bits.Type, _ value: (Bits) -> Float) {
          for index in 0..<source.count / MemoryLayout<Bits>.size {
            let bits = source.loadUnaligned(
              fromByteOffset: index &* MemoryLayout<Bits>.size, as: Bits.self)
            target[index] = value(Bits(littleEndian: bits))
          }
        }
        switch entry.type {
        case .f32: each(UInt32.self) { Float(bitPattern: $0) }
        case .f64: each(UInt64.self) { Float(Double(bitPattern: $0)) }
        case .bf16: each(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
        case .f16: each(UInt16.self, Self.half)
        default: preconditionFailure("\(entry.type) is not read")
        }
      }
    }
    return result
  }

  /// Passes over the next entry.
  package mutating func skip() throws {
    try file.skip(entries[next].range.count)
    next += 1
  }

  /// The value of a half-precision number (IEEE 754 binary16).
  static func half(_ bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1f), fraction = Float(bits & 0x3ff)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default:
      return sign * (1 + fraction * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }

  /// The header as JSON has it.
  private struct Header: Decodable {
    var entries: [Entry] = []
    var metadata: [String: String] = [:]

    private struct Line: Decodable {
      let dtype: String
      let shape: [Int]
      let offsets: [Int]

      enum CodingKeys: String, CodingKey {
        case dtype, shape
        case offsets = "data_offsets"
      }
    }

    private struct Name: CodingKey {
      let stringValue: String
      init(stringValue: String) { self.stringValue = stringValue }
      var intValue: Int? { nil }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Name.self)
      for key in container.allKeys {
        let name = key.stringValue
        if name == "__metadata__" {
          metadata = try container.decode([String: String].self, forKey: key)
          continue
        }
        guard let line = try? container.decode(Line.self, forKey: key) else {
          throw WorkbenchError("\(name) lacks a dtype, a shape or data_offsets")
        }
        guard let type = ElementType(rawValue: line.dtype) else {
          throw WorkbenchError("\(name) has the unknown dtype \(line.dtype)")
        }
        guard line.shape.count <= 32, line.shape.allSatisfy({ $0 >= 0 }) else {
          throw WorkbenchError("\(name) has the impossible shape \(line.shape)")
        }
        var bytes = type.size, isTooLarge = false
        for extent in line.shape {
          let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
          bytes = product
          isTooLarge = isTooLarge || overflow
        }
        guard !isTooLarge, line.offsets.count == 2, line.offsets[0] >= 0,
          line.offsets[1] >= line.offsets[0], line.offsets[1] - line.offsets[0] == bytes
        else {
          throw WorkbenchError(
            "the data_offsets of \(name), \(line.offsets), do not fit \(line.dtype) values of shape \(line.shape)"
          )
        }
        entries.append(
          Entry(
            name: name, type: type, shape: line.shape, range: line.offsets[0]..<line.offsets[1]))
      }
    }
  }

  /// Writes tensors of single precision, whole or not at all.
  ///
  /// - Parameters:
  ///   - tensors: names, shapes in the file and values in the file's axis order, which are read one by one.
  package static func write(
    _ tensors: [(name: String, shape: [Int], values: () -> Tensor)], metadata: [String: String] = [:],
    to path: String
  ) throws {
    try AtomicFile.write(to: path) { put in try write(tensors, metadata, put) }
  }

  /// The whole file of some tensors.
  package static func contents(
    _ tensors: [(name: String, shape: [Int], values: () -> Tensor)], metadata: [String: String] = [:]
  ) throws -> Data {
    var file = Data()
    try write(tensors, metadata) { file.append($0) }
    return file
  }

  /// Passes the file to `put`, piece by piece.
  private static func write(
    _ tensors: [(name: String, shape: [Int], values: () -> Tensor)], _ metadata: [String: String],
    _ put: (Data) throws -> Void
  ) throws {
    var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    var end = 0
    for tensor in tensors {
      let bytes = 4 * tensor.shape.reduce(1, *)
      header[tensor.name] = [
        "dtype": "F32", "shape": tensor.shape, "data_offsets": [end, end + bytes],
      ]
      end += bytes
    }
    var text = try JSONSerialization.data(
      withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    text.append(Data(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
    try put(length + text)
    for tensor in tensors { try put(littleEndian(tensor.values())) }
  }

  private static func littleEndian(_ tensor: Tensor) -> Data {
    let count = tensor.count
    return tensor.withPointer { source in
      var data = Data(count: 4 * count)
      data.withUnsafeMutableBytes { target in
        for index in 0..<count {
          target.storeBytes(
            of: source[index].bitPattern.littleEndian, toByteOffset: 4 * index, as: UInt32.self)
        }
      }
      return data
    }
  }
}
