import Foundation
import Tensors

extension Dataset {
  /// CIFAR-10's binary version (A. Krizhevsky, 2009): `data_batch_1.bin` to `data_batch_5.bin` for training
  /// and `test_batch.bin`, of at most 10,000 records each.
  ///
  /// A record is a label and 32×32 pixels of red, then green, then blue: 3,073 bytes.
  static func cifar10(_ name: String, _ folder: String, validation: Int?) throws -> Dataset {
    func split(_ files: [String]) throws -> Examples {
      let paths = files.map { (folder as NSString).appendingPathComponent($0) }
      let batches = try paths.map(cifarRecords)
      let count = batches.reduce(0) { $0 + $1.count / cifarRecordSize }
      var images = Tensor(uninitialized: [count, 32, 32, 3])
      var labels: [Int] = []
      labels.reserveCapacity(count)
      images.withMutablePointer { target in
        for batch in batches { unpack(batch, to: target + labels.count * 3072, &labels) }
      }
      return try Examples(
        images: images, labels: labels, classes: 10,
        source: "\(folder)/\(files.count == 1 ? files[0] : "data_batch_*")")
    }
    let (train, held) = try split((1...5).map { "data_batch_\($0).bin" }).holdingOut(validation, of: name)
    return try Dataset(
      name: name, classes: 10, train: train, validation: held, test: split(["test_batch.bin"]), shift: 4,
      flips: true)
  }

  private static let cifarRecordSize = 3073
  private static let cifarLargestBatch = 10_000

  private static func cifarRecords(_ path: String) throws -> [UInt8] {
    let file = try RegularFile(path, limit: largestFile)
    let (count, rest) = file.size.quotientAndRemainder(dividingBy: cifarRecordSize)
    guard rest == 0, (1...cifarLargestBatch).contains(count) else {
      throw WorkbenchError(
        "\(path) is not a CIFAR-10 batch: its \(file.size) bytes are not 1 to \(cifarLargestBatch) records of"
          + " \(cifarRecordSize) bytes.")
    }
    return try file.read(file.size)
  }

  /// Appends the labels, and writes the planes of values 0 to 255 as pixels of values 0 to 1.
  private static func unpack(
    _ records: [UInt8], to images: UnsafeMutablePointer<Float>, _ labels: inout [Int]
  ) {
    records.withUnsafeBufferPointer { records in
      for record in 0..<records.count / cifarRecordSize {
        let start = record * cifarRecordSize
        labels.append(Int(records[start]))
        let image = images + record * 3072
        for channel in 0..<3 {
          let plane = UnsafeBufferPointer(rebasing: records[(start + 1 + channel * 1024)...].prefix(1024))
          let target = image + channel
          for pixel in 0..<1024 { target[pixel &* 3] = Float(plane[pixel]) / 255 }
        }
      }
    }
  }
}
