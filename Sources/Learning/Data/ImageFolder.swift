import Foundation
import Tensors

/// Images in folders, one for each class.
///
/// Either `train`, `test` and perhaps `validation` hold the classes' folders, or the folder itself does; then of each ten
/// images of a class, by their names' order, the ninth is for validation (unless a number is asked for) and the tenth for
/// testing. Classes are in their names' order. Files are PNG, PGM or PPM, by their ending; others are left out. All images have one size and are all grey
/// or all coloured.
struct ImageFolder {
  /// The classes' names, in their order.
  private(set) var classes: [String] = []
  private let folder: String

  init(_ folder: String) { self.folder = folder }

  /// The splits that there are.
  ///
  /// - Parameter validation: the requested number of validation images; nil to follow the folders. If it is given,
  /// file names do not choose any; 0 ignores a validation folder, and any other number is refused with one.
  mutating func read(validation: Int?) throws -> [Dataset.Split: Examples] {
    var files: [Dataset.Split: [(path: String, label: Int)]] = [:]
    if exists("train") {
      if let validation, validation > 0, exists("validation") {
        throw WorkbenchError(
          "\(folder) has its own folder validation, so no training images are used for it; leave out validation=\(validation)."
        )
      }
      classes = try folders(in: "train")
      for split in Dataset.Split.allCases
      where exists(split.rawValue) && (split != .validation || validation == nil) {
        for name in try folders(in: split.rawValue) where !classes.contains(name) {
          throw WorkbenchError(
            "\(folder)/\(split.rawValue) has a folder \(name) that \(folder)/train lacks; each class must be in both."
          )
        }
        files[split] = try classes.indices.flatMap { label in
          try images(in: "\(split.rawValue)/\(classes[label])").map { ($0, label) }
        }
      }
    } else {
      classes = try folders(in: "")
      for label in classes.indices {
        for (index, path) in try images(in: classes[label]).enumerated() {
          let isHeld = index % 10 == 8 && validation == nil
          let split: Dataset.Split = index % 10 == 9 ? .test : isHeld ? .validation : .train
          files[split, default: []].append((path, label))
        }
      }
    }
    guard !classes.isEmpty else {
      throw WorkbenchError("\(folder) has no folders; give each class a folder with its images.")
    }
    var shape: PNGFile.Image?, first = ""
    func load(_ files: [(path: String, label: Int)], _ split: Dataset.Split) throws -> Examples {
      var tensor: Tensor?
      for (index, (path, _)) in files.enumerated() {
        let image = try Self.decode(path)
        if let shape {
          guard (image.width, image.height, image.channels) == (shape.width, shape.height, shape.channels)
          else {
            throw WorkbenchError(
              "\(path) has \(Self.words(image)), but \(first) has \(Self.words(shape)); all images must have the same form."
            )
          }
        } else {
          shape = image
          first = path
        }
        if tensor == nil {
          let extents = [files.count, image.height, image.width, image.channels]
          guard files.count <= TaskData.largest / image.bytes.count else {
            throw WorkbenchError(
              "\(folder) has \(files.count) images of \(Self.words(image)), more than \(TaskData.largest) values; use fewer or smaller images."
            )
          }
          tensor = Tensor(uninitialized: extents)
        }
        tensor?.withMutablePointer { target in
          let start = target + index * image.bytes.count
          for (place, byte) in image.bytes.enumerated() { start[place] = Float(byte) / 255 }
        }
      }
      guard let tensor else {
        throw WorkbenchError(
          "\(folder) has no images for \(split.rawValue); add some, PNG, PGM or PPM files.")
      }
      return try Examples(
        images: tensor, labels: files.map(\.label), classes: classes.count, source: folder)
    }
    var result: [Dataset.Split: Examples] = [:]
    for split in Dataset.Split.allCases where split != .validation || files[split]?.isEmpty == false {
      result[split] = try load(files[split] ?? [], split)
    }
    return result
  }

  private static func words(_ image: PNGFile.Image) -> String {
    "\(image.width)×\(image.height) \(image.channels == 1 ? "grey" : "coloured") pixels"
  }

  /// Reads a file by its ending.
  static func decode(_ path: String) throws -> PNGFile.Image {
    let file = try RegularFile(path, limit: 1 << 27), data = try file.read(file.size)
    return path.lowercased().hasSuffix(".png")
      ? try PNGFile.decode(data, path) : try PortablePixmap.decode(data, path)
  }

  private func exists(_ name: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// What is in a folder, by the bytes of the names; hidden files are left out.
  private func contents(of name: String) throws -> [String] {
    let path = name.isEmpty ? folder : "\(folder)/\(name)"
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw WorkbenchError(
        "\(path) cannot be read as a folder; give a folder that holds a folder of images for each class.")
    }
    guard names.count <= 1 << 20 else { throw WorkbenchError("\(path) holds more than \(1 << 20) files.") }
    return names.filter { !$0.hasPrefix(".") }.sorted {
      Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8))
    }
  }

  private func folders(in name: String) throws -> [String] {
    try contents(of: name).filter { exists(name.isEmpty ? $0 : "\(name)/\($0)") }
  }

  private func images(in name: String) throws -> [String] {
    try contents(of: name).filter { file in
      [".png", ".pgm", ".ppm"].contains { file.lowercased().hasSuffix($0) }
    }.map { "\(folder)/\(name)/\($0)" }
  }
}

extension Dataset {
  /// The user's own images, in folders as ``ImageFolder`` has them; values are scaled to 0 … 1.
  static func images(_ name: String, _ folder: String, validation: Int?) throws -> Dataset {
    var reader = ImageFolder(folder)
    let splits = try reader.read(validation: validation)
    guard let train = splits[.train], let test = splits[.test] else {
      throw WorkbenchError("\(folder) has no images to train on, or none to test with; add some.")
    }
    if let held = splits[.validation] {
      return try Dataset(
        name: name, classes: reader.classes.count, train: train, validation: held, test: test)
    }
    let (rest, held) = try train.holdingOut(validation, of: name)
    return try Dataset(
      name: name, classes: reader.classes.count, train: rest, validation: held, test: test)
  }
}
