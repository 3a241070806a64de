import Foundation

/// The cyclic redundancy check with Castagnoli's polynomial (RFC 3720, appendix B.4).
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    var value = UInt32(byte)
    for _ in 0..<8 {
      let half: UInt32 = value >> 1
      value = value & 1 == 1 ? half ^ 0x82f6_3b78 : half
    }
    return value
  }

  /// The check of some bytes.
  static func of(_ data: Data) -> UInt32 {
    var value = ~UInt32(0)
    for byte in data { value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] }
    return ~value
  }

  /// As TFRecord files have it: rotated, and moved by a constant, so that a check of what holds checks is no special case.
  static func masked(_ data: Data) -> UInt32 {
    let check = of(data)
    return (check >> 15 | check << 17) &+ 0xa282_ead8
  }
}
