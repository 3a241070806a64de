import Foundation
import Tensors

/// MNIST's IDX files of unsigned bytes: a big-endian magic number, big-endian extents, then the values.
enum IDX {
  /// Reads images (magic number 2051) as `[count, height, width, 1]`, each value divided by `maximum`.
  static func images(_ path: String, maximum: Float) throws -> Tensor {
    let (extents, bytes) = try read(path, magic: 2051, axes: 3, what: "images")
    var result = Tensor(uninitialized: extents + [1])
    result.withMutablePointer { target in
      bytes.withUnsafeBufferPointer { source in
        for index in 0..<source.count { target[index] = Float(source[index]) / maximum }
      }
    }
    return result
  }

  /// Reads labels (magic number 2049).
  static func labels(_ path: String) throws -> [Int] {
    try read(path, magic: 2049, axes: 1, what: "labels").bytes.map(Int.init)
  }

  private static func read(
    _ path: String, magic: Int, axes: Int, what: String
  ) throws -> (extents: [Int], bytes: [UInt8]) {
    let file = try RegularFile(path, limit: Dataset.largestFile)
    let headerSize = 4 * (axes + 1)
    guard file.size >= headerSize else {
      throw WorkbenchError(
        "\(path) is not an IDX file of \(what): its \(file.size) bytes are shorter than a header.")
    }
    let header = try file.read(headerSize)
    let words = (0...axes).map { header[$0 * 4..<$0 * 4 + 4].reduce(0) { $0 << 8 | Int($1) } }
    guard words[0] == magic else {
      let hint = header[0] == 0x1f && header[1] == 0x8b ? "; it is compressed, so run gunzip on it first" : ""
      throw WorkbenchError(
        "\(path) is not an IDX file of \(what): it starts with \(words[0]) instead of \(magic)\(hint).")
    }
    let extents = Array(words.dropFirst())
    guard extents.allSatisfy({ $0 > 0 }) else {
      throw WorkbenchError("\(path) holds no \(what): its extents are \(extents).")
    }
    try Tensor.checkSize(extents, path)
    let needed = extents.reduce(1, *), present = file.size - headerSize
    guard needed == present else {
      throw WorkbenchError(
        "\(path) holds \(present) bytes of \(what), but its extents \(extents) need \(needed);"
          + " it may be truncated or damaged.")
    }
    return (extents, try file.read(needed))
  }
}

extension Dataset {
  /// The largest file of a dataset that is read, in bytes.
  static let largestFile = 2 << 30

  /// The MNIST files, or others in the same format and of ten classes such as Fashion-MNIST, in `folder`.
  static func mnist(_ name: String, _ folder: String, validation: Int?) throws -> Dataset {
    func split(_ prefix: String) throws -> Examples {
      try Examples(
        images: IDX.images(find("\(prefix)-images", "idx3-ubyte"), maximum: 255),
        labels: IDX.labels(find("\(prefix)-labels", "idx1-ubyte")), classes: 10,
        source: "\(folder)/\(prefix)-*")
    }
    /// The file's name with the hyphen of the original distribution, or the dot that some archives have.
    func find(_ stem: String, _ type: String) throws -> String {
      let names = ["\(stem)-\(type)", "\(stem).\(type)"].map {
        (folder as NSString).appendingPathComponent($0)
      }
      if let path = names.first(where: FileManager.default.fileExists) { return path }
      if let path = names.first(where: { FileManager.default.fileExists(atPath: $0 + ".gz") }) {
        throw WorkbenchError("\(path) does not exist; run gunzip on \(path).gz first.")
      }
      throw WorkbenchError("\(names[0]) does not exist; give the folder of the four MNIST files.")
    }
    let (train, held) = try split("train").holdingOut(validation, of: name)
    return try Dataset(
      name: name, classes: 10, train: train, validation: held, test: split("t10k"), shift: 2)
  }
}
