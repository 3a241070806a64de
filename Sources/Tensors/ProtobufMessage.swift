import Foundation

/// A message of Protocol Buffers while it is written: fields by their numbers, in the encoding of proto2 and proto3.
package struct ProtobufMessage {
  /// What has been written.
  package private(set) var data = Data()

  /// An empty message.
  package init() {}

  /// How a field's value is written.
  private enum Wire: UInt64 { case varint = 0, fixed64 = 1, lengthDelimited = 2, fixed32 = 5 }

  /// A whole number; a negative one has ten bytes.
  package mutating func add(_ field: Int, _ value: Int) {
    tag(field, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  /// A real number.
  package mutating func add(_ field: Int, _ value: Float) {
    tag(field, .fixed32)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
  }

  /// A real number in double precision.
  package mutating func add(_ field: Int, _ value: Double) {
    tag(field, .fixed64)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
  }

  /// A text, in UTF-8.
  package mutating func add(_ field: Int, _ text: String) { add(field, Data(text.utf8)) }

  /// Bytes.
  package mutating func add(_ field: Int, _ bytes: Data) {
    tag(field, .lengthDelimited)
    varint(UInt64(bytes.count))
    data.append(bytes)
  }

  /// A message inside this one.
  package mutating func add(_ field: Int, _ write: (inout ProtobufMessage) -> Void) {
    var message = ProtobufMessage()
    write(&message)
    add(field, message.data)
  }

  private mutating func tag(_ field: Int, _ wire: Wire) { varint(UInt64(field) << 3 | wire.rawValue) }

  /// Seven bits a byte, the lowest first; the highest bit says that more follow.
  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest > 0x7f {
      data.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    data.append(UInt8(rest))
  }
}
