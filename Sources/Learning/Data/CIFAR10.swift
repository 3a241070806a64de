import Foundation
import Tensors

extension Dataset {
  /// CIFAR-10's binary version (A. Krizhevsky, 2009): `data_batch_1.bin` to `data_batch_5.bin` for training
  /// and `test_batch.bin`, of at most 10,000 records each.
  static func cifar10(_ name: String, _ folder: String, validation: Int?) throws -> Dataset {
    try cifar(
      CIFAR(name: "CIFAR-10 batch", classes: 10, labelBytes: 1, largest: 10_000), name, folder,
      train: (1...5).map { "data_batch_\($0).bin" }, test: "test_batch.bin", validation)
  }

  /// CIFAR-100's binary version (A. Krizhevsky, 2009) with its 100 fine labels: `train.bin` and `test.bin`, of at most
  /// 50,000 records each.
  static func cifar100(_ name: String, _ folder: String, validation: Int?) throws -> Dataset {
    try cifar(
      CIFAR(name: "CIFAR-100 file", classes: 100, labelBytes: 2, largest: 50_000), name, folder,
      train: ["train.bin"], test: "test.bin", validation)
  }

  private static func cifar(
    _ format: CIFAR, _ name: String, _ folder: String, train: [String], test: String, _ validation: Int?
  ) throws -> Dataset {
    let (trained, held) = try format.examples(folder, train).holdingOut(validation, of: name)
    return try Dataset(
      name: name, classes: format.classes, train: trained, validation: held,
      test: format.examples(folder, [test]), shift: 4, flips: true)
  }
}

/// Files of records: bytes of labels, of which the last is used (CIFAR-100 has the coarse label before the fine one),
/// and 32×32 pixels of red, then green, then blue.
private struct CIFAR {
  /// The name of a file in errors.
  var name: String
  var classes: Int
  var labelBytes: Int
  /// The largest number of records in a file.
  var largest: Int

  private var recordSize: Int { labelBytes + 3072 }

  /// The images of some files, one after the other.
  func examples(_ folder: String, _ files: [String]) throws -> Examples {
    let batches = try files.map { try records((folder as NSString).appendingPathComponent($0)) }
    let count = batches.reduce(0) { $0 + $1.count / recordSize }
    var images = Tensor(uninitialized: [count, 32, 32, 3])
    var labels: [Int] = []
    labels.reserveCapacity(count)
    images.withMutablePointer { target in
      for batch in batches { unpack(batch, to: target + labels.count * 3072, &labels) }
    }
    return try Examples(
      images: images, labels: labels, classes: classes,
      source: "\(folder)/\(files.count == 1 ? files[0] : "data_batch_*")")
  }

  private func records(_ path: String) throws -> [UInt8] {
    let file = try RegularFile(path, limit: Dataset.largestFile)
    let (count, rest) = file.size.quotientAndRemainder(dividingBy: recordSize)
    guard rest == 0, (1...largest).contains(count) else {
      throw WorkbenchError(
        "\(path) is not a \(name): its \(file.size) bytes are not 1 to \(largest) records of \(recordSize) bytes."
      )
    }
    return try file.read(file.size)
  }

  /// Appends the labels, and writes the planes of values 0 to 255 as pixels of values 0 to 1.
  private func unpack(_ records: [UInt8], to images: UnsafeMutablePointer<Float>, _ labels: inout [Int]) {
    records.withUnsafeBufferPointer { records in
      for record in 0..<records.count / recordSize {
        let start = record * recordSize + labelBytes
        labels.append(Int(records[start - 1]))
        let image = images + record * 3072
        for channel in 0..<3 {
          let plane = UnsafeBufferPointer(rebasing: records[(start + channel * 1024)...].prefix(1024))
          let target = image + channel
          for pixel in 0..<1024 { target[pixel &* 3] = Float(plane[pixel]) / 255 }
        }
      }
    }
  }
}
