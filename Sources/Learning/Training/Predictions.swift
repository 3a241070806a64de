import Foundation

/// The class that is predicted for each image of a split: a byte for each, or two where there are more than 256 classes; in
/// records as Base64.
package struct Predictions: Hashable, Sendable, Codable {
  /// The lower byte first where there are two.
  private let bytes: Data
  private let width: Int

  /// One class for each image, from 0 to 65,535.
  package init(_ classes: [Int]) {
    let width = classes.contains { $0 > 255 } ? 2 : 1
    self.width = width
    bytes = Data(
      classes.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)].prefix(width) })
  }

  /// The classes of so many images; nil if there are not as many.
  package func values(_ count: Int) -> [Int]? {
    guard count >= 0, bytes.count == count * width else { return nil }
    let bytes = [UInt8](bytes)
    return (0..<count).map { width == 1 ? Int(bytes[$0]) : Int(bytes[2 * $0]) | Int(bytes[2 * $0 + 1]) << 8 }
  }

  private enum CodingKeys: CodingKey { case width, bytes }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    width = try container.decode(Int.self, forKey: .width)
    bytes = try container.decode(Data.self, forKey: .bytes)
    guard width == 1 || width == 2 else {
      throw DecodingError.dataCorruptedError(
        forKey: .width, in: container, debugDescription: "neither 1 nor 2")
    }
  }
}
