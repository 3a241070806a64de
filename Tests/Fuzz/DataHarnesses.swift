import Foundation
import Tensors

@testable import Learning

extension Harness {
  /// Data sets in their files.
  static let data = [idx, cifar10, cifar100, npyFolder, png, pixmap]

  private static let idx = Harness("idx") {
    func file(_ magic: Int, _ extents: [Int], _ count: Int) -> [UInt8] {
      ([magic] + extents).flatMap { word in (0..<4).map { UInt8(word >> (24 - 8 * $0) & 255) } }
        + (0..<count).map { UInt8($0 % 10) }
    }
    return [file(2051, [2, 3, 4], 24), file(2049, [5], 5), file(2051, [1, 1, 1], 1)]
  } read: { input in
    let path = try Scratch.file(input, "a.idx")
    // The magic number says which of both it is; the other must refuse it.
    let images = try? IDX.images(path, maximum: 255)
    do {
      let labels = try IDX.labels(path)
      try require(images == nil && labels.allSatisfy { (0...255).contains($0) }, "images and labels in one")
    } catch let refusal as WorkbenchError {
      guard let images else { throw refusal }
      try require(images.shape.count == 4 && images.shape[3] == 1, "\(images.shape)")
    }
  }

  private static let png = Harness("png") {
    let grey = try PNGFile.encode(width: 3, height: 2, grey: [0, 50, 100, 150, 200, 255])
    // A red pixel.
    let red = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
    return [Array(grey), Array(Data(base64Encoded: red) ?? Data())]
  } read: { input in
    let image = try PNGFile.decode(input, "a.png")
    try require(
      image.bytes.count == image.width * image.height * image.channels, "\(image.bytes.count) bytes")
  }

  private static let pixmap = Harness("pixmap") {
    [Array("P5 2 1 255\n".utf8) + [0, 255], Array("P6\n# a comment\n1 1\n15\n".utf8) + [0, 7, 15]]
  } read: { input in
    let image = try PortablePixmap.decode(input, "a.ppm")
    try require(
      image.bytes.count == image.width * image.height * image.channels, "\(image.bytes.count) bytes")
  }

  private static let cifar10 = Harness("cifar10") {
    [
      [3] + (0..<3072).map { UInt8($0 & 255) },
      [9] + [UInt8](repeating: 0, count: 3072) + [0] + [UInt8](repeating: 255, count: 3072),
    ]
  } read: { input in
    let folder = try Scratch.file(
      input, "cifar10", named: (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"])
    let data = try Dataset.load("cifar10:\(folder)")
    try require(data.train.labels.allSatisfy { (0..<10).contains($0) }, "labels")
    let trained = data.train.count + (data.validation?.count ?? 0)
    try require(trained == 5 * data.test.count, "\(trained) and \(data.test.count)")
  }

  private static let cifar100 = Harness("cifar100") {
    [
      [1, 3] + (0..<3072).map { UInt8($0 & 255) },
      [19, 99] + [UInt8](repeating: 0, count: 3072) + [0, 0] + [UInt8](repeating: 255, count: 3072),
    ]
  } read: { input in
    let folder = try Scratch.file(input, "cifar100", named: ["train.bin", "test.bin"])
    let data = try Dataset.load("cifar100:\(folder):validation=0")
    try require(data.train.labels == data.test.labels, "labels")
    try require(data.train.labels.allSatisfy { (0..<100).contains($0) }, "labels out of range")
  }

  /// The four files, one after the other.
  private static let npyFolder = Harness("npy-folder") {
    func file(_ tensor: Tensor) throws -> [UInt8] {
      try Scratch.contents("a.npy") { try NpyFile.write(tensor, to: $0) }
    }
    func labels(_ values: [UInt8]) -> [UInt8] {
      let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(values.count),), }"
      return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + values
    }
    let flat = try file(Tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]))
    let planes = try file(Tensor((0..<16).map(Float.init), [2, 2, 2, 2]))
    let targets = try file(Tensor([0.5, 1], [2])), pairs = try file(Tensor([0.5, 1, 2, 3], [2, 2]))
    return [
      Parts.join([
        ("train_images", flat), ("test_images", flat), ("train_labels", labels([0, 1])),
        ("test_labels", labels([1, 0])),
      ]),
      Parts.join([
        ("train_images", planes), ("test_images", planes), ("train_labels", labels([3, 1])),
        ("test_labels", labels([1, 3])),
      ]),
      Parts.join([
        ("train_images", flat), ("test_images", flat), ("train_targets", targets), ("test_targets", targets),
      ]),
      Parts.join([
        ("train_images", planes), ("test_images", planes), ("train_targets", pairs), ("test_targets", pairs),
      ]),
    ]
  } read: { input in
    let folder = try Scratch.folder("npy")
    let known = ["train", "test"].flatMap { split in ["images", "labels", "targets"].map { "\(split)_\($0)" }
    }
    for (name, bytes) in Parts.split(input) where known.contains(name) {
      _ = try Scratch.file(bytes, "npy/\(name).npy")
    }
    let data = try Dataset.load("npy:\(folder)")
    try require(data.train.images.values.allSatisfy(\.isFinite), "images that are no numbers")
  }
}
