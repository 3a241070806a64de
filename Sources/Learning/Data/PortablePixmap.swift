import Tensors

/// Netpbm's binary images of 8 bits: PGM (`P5`, grey) and PPM (`P6`, red, green and blue).
enum PortablePixmap {
  /// Decodes a file of one image; values are scaled to 0 … 255.
  static func decode(_ data: [UInt8], _ path: String) throws -> PNGFile.Image {
    var place = 2
    guard data.count > 2, data[0] == UInt8(ascii: "P"),
      [UInt8(ascii: "5"), UInt8(ascii: "6")].contains(data[1])
    else {
      throw WorkbenchError("\(path) is not a binary PGM or PPM image: it does not start with P5 or P6.")
    }
    let channels = data[1] == UInt8(ascii: "5") ? 1 : 3
    func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    /// The next number of the header, after spaces and comments.
    func number(_ what: String) throws -> Int {
      while place < data.count, isSpace(data[place]) || data[place] == UInt8(ascii: "#") {
        if data[place] == UInt8(ascii: "#") {
          while place < data.count, data[place] != 10 { place += 1 }
        } else {
          place += 1
        }
      }
      var value = 0, digits = 0
      while place < data.count, (48...57).contains(data[place]), digits < 9 {
        value = value * 10 + Int(data[place] - 48)
        place += 1
        digits += 1
      }
      guard digits > 0 else {
        throw WorkbenchError("\(path) has no \(what) in its header; it may be damaged.")
      }
      return value
    }
    let width = try number("width"), height = try number("height"), largest = try number("largest value")
    guard width > 0, height > 0, width <= PNGFile.largestImage / height else {
      throw WorkbenchError(
        "\(path) has \(width)×\(height) pixels; there must be 1 to \(PNGFile.largestImage).")
    }
    guard (1...255).contains(largest) else {
      throw WorkbenchError("\(path) has values up to \(largest), but only values up to 255 are supported.")
    }
    guard place < data.count, isSpace(data[place]) else {
      throw WorkbenchError("\(path) has no space after its header; it may be damaged.")
    }
    place += 1
    let count = width * height * channels
    guard data.count - place == count else {
      throw WorkbenchError(
        "\(path) holds \(data.count - place) bytes of pixels, but \(width)×\(height) pixels need \(count).")
    }
    var bytes = Array(data[place...])
    if largest < 255 {
      guard bytes.allSatisfy({ Int($0) <= largest }) else {
        throw WorkbenchError("\(path) holds values above \(largest), the maximum in its header.")
      }
      for index in bytes.indices { bytes[index] = UInt8((Int(bytes[index]) * 255 + largest / 2) / largest) }
    }
    return PNGFile.Image(width: width, height: height, channels: channels, bytes: bytes)
  }
}
