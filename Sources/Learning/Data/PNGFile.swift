import CPNG
import Foundation
import Tensors

/// PNG files, by libpng's simplified interface.
package enum PNGFile {
  /// More pixels in one image are refused.
  static let largestImage = 1 << 24

  /// Bits of a format, as png.h has them.
  private static let alpha: png_uint_32 = 1, colour: png_uint_32 = 2

  /// Pixels of 8 bits: grey, or red, green and blue.
  struct Image {
    var width: Int
    var height: Int
    /// 1 or 3.
    var channels: Int
    /// Row by row, a pixel's channels together.
    var bytes: [UInt8]
  }

  /// Decodes a file. Grey stays grey, palettes become colours, 16 bits become 8.
  ///
  /// - Throws: a ``WorkbenchError`` if it is no PNG, is damaged, has an alpha channel, or is too large.
  static func decode(_ data: [UInt8], _ path: String) throws -> Image {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    return try data.withUnsafeBytes { file in
      guard png_image_begin_read_from_memory(&image, file.baseAddress, file.count) != 0 else {
        throw refusal(image, path)
      }
      let format = image.format
      guard format & alpha == 0 else {
        throw WorkbenchError(
          "\(path) has an alpha channel, which is not supported; save it without one.")
      }
      let channels = format & colour == 0 ? 1 : 3
      let width = Int(image.width), height = Int(image.height)
      guard width > 0, height > 0, width <= largestImage / height else {
        throw WorkbenchError(
          "\(path) has \(width)×\(height) pixels, more than the limit of \(largestImage); make it smaller.")
      }
      image.format = channels == 3 ? colour : 0
      var bytes = [UInt8](repeating: 0, count: width * height * channels)
      let isRead = bytes.withUnsafeMutableBytes { target in
        png_image_finish_read(&image, nil, target.baseAddress, png_int_32(width * channels), nil) != 0
      }
      // A warning is damage too, such as a checksum that does not fit.
      guard isRead, image.warning_or_error == 0 else { throw refusal(image, path) }
      return Image(width: width, height: height, channels: channels, bytes: bytes)
    }
  }

  /// Encodes a grey image, its rows from the top.
  package static func encode(width: Int, height: Int, grey: [UInt8]) throws -> Data {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(width)
    image.height = png_uint_32(height)
    defer { png_image_free(&image) }
    // A little more than no compression at all would need.
    var size = grey.count + grey.count / 8 + height + 4096
    var bytes = [UInt8](repeating: 0, count: size)
    let isWritten = bytes.withUnsafeMutableBytes { target in
      grey.withUnsafeBytes {
        png_image_write_to_memory(&image, target.baseAddress, &size, 0, $0.baseAddress, 0, nil)
      }
    }
    guard isWritten != 0 else { throw refusal(image, "The picture") }
    return Data(bytes.prefix(size))
  }

  private static func refusal(_ image: png_image, _ path: String) -> WorkbenchError {
    let message = withUnsafeBytes(of: image.message) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return WorkbenchError("\(path) cannot be read as a PNG image: libpng says ‘\(message)’.")
  }
}
