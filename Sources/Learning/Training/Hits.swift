import Foundation

/// Which images of a test split are classified correctly: a bit for each, in records as Base64.
package struct Hits: Hashable, Sendable, Codable {
  /// The first image's is the lowest bit of the first byte.
  private let bytes: Data

  /// One value for each image.
  package init(_ isRight: [Bool]) {
    var bytes = Data(repeating: 0, count: (isRight.count + 7) / 8)
    for (image, isRight) in isRight.enumerated() where isRight {
      bytes[image / 8] |= UInt8(1) << UInt8(image % 8)
    }
    self.bytes = bytes
  }

  /// The values of so many images; nil if there are not as many.
  package func values(_ count: Int) -> [Bool]? {
    guard count >= 0, bytes.count == (count + 7) / 8 else { return nil }
    let bytes = [UInt8](bytes)
    return (0..<count).map { image in bytes[image / 8] & (UInt8(1) << UInt8(image % 8)) != 0 }
  }

  /// The values of as many images as give an accuracy in percent; nil if that leaves the number open.
  package func values(top1: Double) -> [Bool]? {
    let right = bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    let counts = (max(0, 8 * bytes.count - 7)...8 * bytes.count).filter {
      $0 >= right && abs(100 * Double(right) - top1 * Double($0)) < 1e-6 * Double($0)
    }
    return counts.count == 1 ? values(counts[0]) : nil
  }

  package init(from decoder: any Decoder) throws {
    bytes = try decoder.singleValueContainer().decode(Data.self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(bytes)
  }
}
