import Foundation
import Tensors
import Testing

@testable import Learning

@Suite struct MNISTTests {
  @Test(arguments: ["-", "."])
  func readsTheFourFiles(separator: String) throws {
    try inFolder { folder in
      try writeMNIST(folder, separator: separator)
      let data = try Dataset.load("mnist:\(folder)")
      #expect(data.name == "mnist:\(folder)" && data.classes == 10)
      #expect(data.train.images.shape == [4, 2, 3, 1] && data.test.images.shape == [2, 2, 3, 1])
      #expect(data.train.labels == [0, 9, 5, 1] && data.test.labels == [7, 2])
      // The training values 0 to 23 have the mean 11.5 and the variance (24² − 1)/12.
      let deviation = (575.0 / 12).squareRoot()
      for (index, value) in data.train.images.values.enumerated() {
        #expect(abs(Double(value) - (Double(index) - 11.5) / deviation) < 1e-5)
      }
      #expect(data.augmentation.shift == 2 && !data.augmentation.flips)
    }
  }

  @Test(
    arguments: [
      ("train-images-idx3-ubyte", idx(2051, [4, 2, 3], 23), "hold", 23),
      ("train-images-idx3-ubyte", idx(2051, [4, 2, 3], 25), "hold", 25),
      ("train-images-idx3-ubyte", idx(2049, [4, 2, 3], 24), "starts with 2049 instead of 2051", 0),
      ("train-images-idx3-ubyte", [0x1f, 0x8b] + idx(2051, [4, 2, 3], 24), "gunzip", 0),
      ("train-images-idx3-ubyte", idx(2051, [0, 2, 3], 0), "holds no images", 0),
      ("train-images-idx3-ubyte", idx(2051, [4, 0, 3], 0), "holds no images", 0),
      ("train-images-idx3-ubyte", idx(2051, [0xffff_ffff, 0xffff_ffff, 0xffff_ffff], 9), "memory", 0),
      ("train-images-idx3-ubyte", idx(2051, [60000, 28, 28], 9), "need 47040000", 9),
      ("train-images-idx3-ubyte", idx(2051, [5, 2, 3], 30), "5 images but 4 labels", 0),
      ("train-images-idx3-ubyte", idx(2051, [4, 3, 2], 24), "training images of 3×2×1", 0),
      ("train-images-idx3-ubyte", [], "0 bytes are shorter than a header", 0),
      ("train-labels-idx1-ubyte", [0, 0, 8, 1, 0, 0, 0], "7 bytes are shorter than a header", 0),
      ("train-labels-idx1-ubyte", idx(2049, [4], 3), "hold", 3),
      ("train-labels-idx1-ubyte", idx(2049, [3], 3), "4 images but 3 labels", 0),
      ("t10k-labels-idx1-ubyte", idx(2049, [2], 0) + [0, 10], "the label 10, which is not in 0...9", 0),
      ("t10k-images-idx3-ubyte", idx(2051, [2, 2, 4], 16), "test images of 2×4×1", 0),
    ] as [(String, [UInt8], String, Int)])
  func refusesHostileFiles(name: String, bytes: [UInt8], reason: String, present: Int) throws {
    try inFolder { folder in
      try writeMNIST(folder, separator: "-")
      try write(bytes, folder, name)
      try expectRefusal("mnist:\(folder)", reason == "hold" ? "holds \(present) bytes" : reason)
    }
  }

  @Test func saysWhatToDoAboutCompressedFiles() throws {
    try inFolder { folder in
      try writeMNIST(folder, separator: "-")
      let path = folder + "/t10k-labels-idx1-ubyte"
      try FileManager.default.moveItem(atPath: path, toPath: path + ".gz")
      try expectRefusal("mnist:\(folder)", "run gunzip on \(path).gz first")
    }
  }

  @Test func refusesAFileOfMoreThanTwoGibibytes() throws {
    try inFolder { folder in
      try writeMNIST(folder, separator: "-")
      // A sparse file: it takes no space.
      #expect(truncate(folder + "/train-images-idx3-ubyte", off_t(2) << 30 + 1) == 0)
      try expectRefusal("mnist:\(folder)", "more than the limit of 2147483648")
    }
  }

  /// Four training images of 2×3 pixels with values 0 to 23, and two test images.
  private func writeMNIST(_ folder: String, separator: String) throws {
    try write(idx(2051, [4, 2, 3], 24), folder, "train-images\(separator)idx3-ubyte")
    try write(idx(2049, [4], 0) + [0, 9, 5, 1], folder, "train-labels\(separator)idx1-ubyte")
    try write(idx(2051, [2, 2, 3], 12), folder, "t10k-images\(separator)idx3-ubyte")
    try write(idx(2049, [2], 0) + [7, 2], folder, "t10k-labels\(separator)idx1-ubyte")
  }
}

@Suite struct CIFAR10Tests {
  /// A record of CIFAR-100 has the coarse label before the fine one, which counts.
  @Test func readsFineLabels() throws {
    try inFolder { folder in
      let records: [UInt8] = [7, 99] + record(3).dropFirst() + [19, 0] + record(4).dropFirst()
      try write(records, folder, "train.bin")
      try write([2, 55] + record(5).dropFirst(), folder, "test.bin")
      let data = try Dataset.load("cifar100:\(folder)")
      #expect(data.classes == 100 && data.train.labels == [99, 0] && data.test.labels == [55])
      #expect(data.train.images.shape == [2, 32, 32, 3])
      // The same pixels as those of CIFAR-10's records: differences between images do not depend on what was subtracted.
      let images = data.train.images.values
      let wanted = pixel(3, 1, 77) - pixel(4, 1, 77), other = pixel(3, 1, 78) - pixel(4, 1, 78)
      let found = images[77 * 3 + 1] - images[3072 + 77 * 3 + 1]
      let foundOther = images[78 * 3 + 1] - images[3072 + 78 * 3 + 1]
      #expect(abs(Double(found) * other - Double(foundOther) * wanted) < 1e-3)
      try write([2, 100] + record(5).dropFirst(), folder, "test.bin")
      try expectRefusal("cifar100:\(folder)", "the label 100")
      try write(record(5), folder, "test.bin")
      try expectRefusal("cifar100:\(folder)", "test.bin is not a CIFAR-100 file: its 3073 bytes")
    }
  }

  @Test func readsPlanesAsPixels() throws {
    try inFolder { folder in
      try writeCIFAR(folder)
      let data = try Dataset.load("cifar10:\(folder)")
      #expect(data.train.images.shape == [6, 32, 32, 3] && data.test.images.shape == [1, 32, 32, 3])
      #expect(data.train.labels == [1, 2, 3, 4, 5, 6] && data.test.labels == [9])
      #expect(data.augmentation.shift == 4 && data.augmentation.flips && data.augmentation.fill.count == 3)
      // Undo the normalisation of each channel with the statistics of the bytes that were written.
      let images = data.train.images.values
      for channel in 0..<3 {
        let original = (0..<6).flatMap { image in (0..<1024).map { pixel(image, channel, $0) / 255 } }
        let mean = original.reduce(0, +) / Double(original.count)
        let variance = original.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(original.count)
        for (index, value) in original.enumerated() {
          let found = Double(images[index * 3 + channel])
          #expect(abs(found - (value - mean) / variance.squareRoot()) < 1e-5)
        }
      }
    }
  }

  @Test func refusesHostileFiles() throws {
    try inFolder { folder in
      let specification = "cifar10:\(folder)"
      for (name, bytes, reason) in [
        (
          "data_batch_3.bin", record(0).dropLast(), "data_batch_3.bin is not a CIFAR-10 batch: its 3072 bytes"
        ),
        ("data_batch_3.bin", record(0) + [1], "its 3074 bytes"), ("test_batch.bin", [], "its 0 bytes"),
        ("test_batch.bin", [10] + record(0).dropFirst(), "the label 10"),
      ] {
        try writeCIFAR(folder)
        try write(Array(bytes), folder, name)
        try expectRefusal(specification, reason)
      }
      try writeCIFAR(folder)
      #expect(truncate(folder + "/data_batch_1.bin", 3073 * 10_001) == 0)
      try expectRefusal(specification, "not 1 to 10000 records")
      #expect(truncate(folder + "/data_batch_1.bin", 3073 << 20) == 0)
      try expectRefusal(specification, "more than the limit")
      try writeCIFAR(folder)
      try FileManager.default.removeItem(atPath: folder + "/data_batch_5.bin")
      try expectRefusal(specification, "data_batch_5.bin cannot be read: No such file")
    }
  }

  private func pixel(_ image: Int, _ channel: Int, _ position: Int) -> Double {
    Double((image * 7 + channel * 31 + position * (channel + 1)) % 256)
  }

  private func record(_ image: Int, label: UInt8 = 0) -> [UInt8] {
    [label] + (0..<3).flatMap { channel in (0..<1024).map { UInt8(pixel(image, channel, $0)) } }
  }

  /// Batches of 1, 1, 1, 1 and 2 records, and a test batch of 1.
  private func writeCIFAR(_ folder: String) throws {
    for image in 0..<4 {
      try write(record(image, label: UInt8(image + 1)), folder, "data_batch_\(image + 1).bin")
    }
    try write(record(4, label: 5) + record(5, label: 6), folder, "data_batch_5.bin")
    try write(record(0, label: 9), folder, "test_batch.bin")
  }
}

@Suite struct NpyFolderTests {
  @Test func readsGreyAndColourImages() throws {
    try inFolder { folder in
      try writeArrays(folder)
      let grey = try Dataset.load("npy:\(folder)")
      #expect(grey.classes == 4 && grey.train.labels == [0, 3] && grey.test.labels == [1])
      #expect(grey.train.images.shape == [2, 2, 2, 1] && grey.test.images.shape == [1, 2, 2, 1])
      // The training values 0 to 7 have the mean 3.5 and the variance 5.25.
      for (index, value) in grey.train.images.values.enumerated() {
        #expect(abs(value - (Float(index) - 3.5) / Float(5.25).squareRoot()) < 1e-6)
      }
      #expect(grey.augmentation.shift == 0 && !grey.augmentation.flips)

      // Two channels, the second constant: it becomes 0 in training, and keeps its differences in the test.
      try write(npy("<f4", "(2, 2, 1, 2)", floats([0, 1, 5, 5, 2, 3, 5, 5])), folder, "train_images.npy")
      try write(npy("<f4", "(1, 2, 1, 2)", floats([1.5, 1.5, 6, 4])), folder, "test_images.npy")
      let colour = try Dataset.load("npy:\(folder)")
      #expect(colour.train.images.shape == [2, 1, 2, 2])
      let values = colour.train.images.values
      #expect(
        zip([0, 2, 4, 6], [-1.5, -0.5, 0.5, 1.5] as [Float]).allSatisfy {
          abs(values[$0] - $1 / Float(1.25).squareRoot()) < 1e-6
        })
      #expect([1, 3, 5, 7].allSatisfy { values[$0] == 0 })
      #expect(colour.test.images.values == [0, 1, 0, -1])
    }
  }

  @Test(
    arguments: [
      ("train_images.npy", npy("|u1", "(2, 4)", [UInt8](0..<8)), "must be [count, height, width]"),
      ("train_images.npy", npy("|u1", "(1, 2, 4)", [UInt8](0..<8)), "1 images but 2 labels"),
      ("train_images.npy", npy("|u1", "(2, 1, 4)", [UInt8](0..<8)), "must be equal"),
      ("train_images.npy", npy("|u1", "(0, 2, 2)", []), "holds no images"),
      ("train_images.npy", npy("|u1", "(2, 0, 2, 2)", []), "holds no images"),
      ("train_images.npy", npy("|u1", "(2, 2, 2)", [UInt8](0..<9)), "holds 9 bytes"),
      ("train_images.npy", npy("<f4", "(2, 1, 1)", floats([1, .nan])), "must be equal"),
      ("test_images.npy", npy("<f4", "(1, 2, 2)", floats([0, 1, 2, .infinity])), "infinite or not a number"),
      ("train_images.npy", npy("<f4", "(2, 2, 2)", floats([0, 1, 2, 3, 4, 5, 6, .nan])), "not a number"),
      ("train_labels.npy", npy("|i1", "(2,)", [0, 0xff]), "the label -1"),
      ("train_labels.npy", npy("<i4", "(2,)", [0, 0, 0, 0, 0, 0, 1, 0]), "the label 65536"),
      ("train_labels.npy", npy("<f4", "(2,)", floats([0, 1])), "must hold integers"),
      ("test_labels.npy", npy("|u1", "(1, 1)", [0]), "labels must be [count]"),
      ("test_labels.npy", npy("|u1", "(0,)", []), "1 images but 0 labels"),
      ("test_labels.npy", npy("|u1", "(1,)", []), "holds 0 bytes"),
      ("test_labels.npy", [], "not a complete .npy file"),
    ] as [(String, [UInt8], String)])
  func refusesHostileFiles(name: String, bytes: [UInt8], reason: String) throws {
    try inFolder { folder in
      try writeArrays(folder)
      try write(bytes, folder, name)
      try expectRefusal("npy:\(folder)", reason)
    }
  }

  @Test func refusesAFileOfMoreThanTwoGibibytes() throws {
    try inFolder { folder in
      try writeArrays(folder)
      #expect(truncate(folder + "/test_images.npy", off_t(2) << 30 + 1) == 0)
      try expectRefusal("npy:\(folder)", "more than the limit of 2147483648")
    }
  }

  private func writeArrays(_ folder: String) throws {
    try write(npy("|u1", "(2, 2, 2)", [UInt8](0..<8)), folder, "train_images.npy")
    try write(npy("|u1", "(2,)", [0, 3]), folder, "train_labels.npy")
    try write(npy("|u1", "(1, 2, 2)", [UInt8](0..<4)), folder, "test_images.npy")
    try write(npy("|u1", "(1,)", [1]), folder, "test_labels.npy")
  }
}

/// Expects one sentence that holds `reason`.
func expectRefusal(_ specification: String, _ reason: String) throws {
  let error = #expect(throws: WorkbenchError.self) { try Dataset.load(specification) }
  let sentence = try #require(error).description
  #expect(sentence.contains(reason), "\(sentence)")
  #expect((sentence.hasSuffix(".") || sentence.hasSuffix("?")) && !sentence.contains("\n"))
}

/// An IDX file with the values 0, 1, 2 …
private func idx(_ magic: UInt32, _ extents: [UInt32], _ count: Int) -> [UInt8] {
  ([magic] + extents).flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
    + (0..<count).map { UInt8($0) }
}

private func npy(_ type: String, _ shape: String, _ values: [UInt8]) -> [UInt8] {
  let header = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }\n".utf8)
  return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + values
}

private func floats(_ values: [Float]) -> [UInt8] {
  values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
}

private func write(_ bytes: [UInt8], _ folder: String, _ name: String) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: folder).appendingPathComponent(name))
}

/// Calls `body` with a fresh folder that is removed afterwards.
private func inFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}
