import Foundation
import Learning
import Tensors

/// A name of 32 hexadecimal digits for contents: the FNV-1a hash with 128 bits (Fowler, Noll and Vo; IETF
/// draft-eastlake-fnv). It tells contents apart; it is no protection against forgery. Names of records are made by it, so
/// it stays.
struct Fingerprint {
  private var state: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

  /// Adds one unit.
  mutating func add(_ unit: UInt64) { state = (state ^ UInt128(unit)) &* 0x0100_0000_0000_0000_0000_013b }

  /// Adds the bytes of a text, as the standard has it.
  mutating func add(_ text: String) { for byte in text.utf8 { add(UInt64(byte)) } }

  /// Adds the bits of each value of a tensor, and its extents.
  mutating func add(_ tensor: Tensor) {
    for extent in tensor.shape { add(UInt64(extent)) }
    let count = tensor.count
    tensor.withPointer { values in for index in 0..<count { add(UInt64(values[index].bitPattern)) } }
  }

  /// The 32 digits.
  var text: String {
    let digits = String(state, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }

  /// The name of some text.
  static func of(_ text: String) -> String {
    var hash = Fingerprint()
    hash.add(text)
    return hash.text
  }

  /// The name of a data set's contents: its images, labels and augmentation, but not where they are.
  static func of(_ data: Dataset) -> String {
    var hash = Fingerprint()
    hash.add("classes \(data.classes) shift \(data.augmentation.shift) flips \(data.augmentation.flips)")
    // Data without a validation split keep the names that they had before there were any.
    for examples in [data.train, data.test] + (data.validation.map { [$0] } ?? []) {
      hash.add(examples.images)
      switch examples.targets {
      case .labels(let labels): for label in labels { hash.add(UInt64(label)) }
      case .values(let values): for value in values { hash.add(UInt64(value.bitPattern)) }
      }
    }
    for value in data.augmentation.fill { hash.add(UInt64(value.bitPattern)) }
    return hash.text
  }
}
