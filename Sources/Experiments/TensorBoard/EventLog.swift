import Foundation
import Tensors

/// Scalars by step in the form that TensorBoard reads: each event a record of TFRecord that holds a message `Event`.
struct EventLog {
  /// The bytes so far.
  private(set) var data: Data

  /// A log that begins at a time, in seconds since 1970.
  init(time: Double) {
    data = Self.record { event in
      event.add(1, time)
      event.add(3, "brain.Event:2")
    }
  }

  /// Adds an event; values that are missing or not finite are left out.
  mutating func add(step: Int, time: Double, _ scalars: [(tag: String, value: Double?)]) {
    data += Self.event(step: step, time: time, scalars)
  }

  /// The bytes of one event; none if it has no value.
  static func event(step: Int, time: Double, _ scalars: [(tag: String, value: Double?)]) -> Data {
    let known = scalars.compactMap { scalar in scalar.value.map { (scalar.tag, $0) } }.filter { $1.isFinite }
    guard !known.isEmpty else { return Data() }
    return record { event in
      event.add(1, time)
      event.add(2, step)
      event.add(5) { summary in
        for (tag, value) in known {
          summary.add(1) {
            $0.add(1, tag)
            $0.add(2, Float(value))
          }
        }
      }
    }
  }

  /// A message with its length, and a check of each.
  private static func record(_ write: (inout ProtobufMessage) -> Void) -> Data {
    var message = ProtobufMessage()
    write(&message)
    func bytes<Number: FixedWidthInteger>(_ number: Number) -> Data {
      withUnsafeBytes(of: number.littleEndian) { Data($0) }
    }
    let length = bytes(UInt64(message.data.count))
    return length + bytes(CRC32C.masked(length)) + message.data + bytes(CRC32C.masked(message.data))
  }
}
