import Foundation
import Tensors

extension Dataset {
  /// The UCI optical handwritten digits that ship with this package: 1,797 images of 8×8 pixels, 17 grey
  /// levels, ten classes (E. Alpaydin and C. Kaynak, 1998, DOI 10.24432/C50P49, CC BY 4.0).
  ///
  /// The first `split` of them are for training, but the last `validation` of these for validation; the others are for
  /// testing. The file names no writers. Its labels are those of one form of 130 digits, written 14 times; cuts at 1157,
  /// 1287, 1415 or 1545 lie between two forms, one at 1437 within a form (docs/data.md).
  static func digits(_ name: String, split boundary: Int, validation: Int) throws -> Dataset {
    let (images, labels, folder) = try embeddedDigits()
    guard (1..<labels.count).contains(boundary) else {
      throw WorkbenchError(
        "The option split of digits is \(boundary); it must be from 1 to \(labels.count - 1).")
    }
    guard validation < boundary else {
      throw WorkbenchError(
        "The option validation of digits is \(validation); it must be below \(boundary), the images before the split."
      )
    }
    let values = images.values
    func part(_ range: Range<Int>) throws -> Examples {
      try Examples(
        images: Tensor(Array(values[range.lowerBound * 64..<range.upperBound * 64]), [range.count, 8, 8, 1]),
        labels: Array(labels[range]), classes: 10, source: folder)
    }
    let trained = boundary - validation
    return try Dataset(
      name: name, classes: 10, train: part(0..<trained),
      validation: validation > 0 ? part(trained..<boundary) : nil, test: part(boundary..<labels.count),
      shift: 1)
  }

  /// All of the digits, values 0 to 1 in steps of 1/16, in the file's order.
  static func embeddedDigits() throws -> (images: Tensor, labels: [Int], folder: String) {
    let folder = try resourceFolder(holding: "digits-images.idx3-ubyte")
    let images = try IDX.images(folder + "/digits-images.idx3-ubyte", maximum: 16)
    let labels = try IDX.labels(folder + "/digits-labels.idx1-ubyte")
    guard images.shape == [1797, 8, 8, 1], labels.count == 1797 else {
      throw WorkbenchError(
        "\(folder) does not hold the 1797 digits of 8×8 pixels that come with this package.")
    }
    return (images, labels, folder)
  }

  /// The folder of this package's data: beside the running program, or else in the source tree.
  ///
  /// `Bundle.module` would end the program where there is none.
  private static func resourceFolder(holding name: String) throws -> String {
    var candidates: [URL] = []
    if let program = Bundle.main.executableURL?.resolvingSymlinksInPath() {
      let folder = program.deletingLastPathComponent()
      candidates = ["resources", "bundle"].map {
        folder.appendingPathComponent("convolution-workbench_Learning.\($0)")
      }
    }
    let source = URL(fileURLWithPath: #filePath)
    candidates.append(source.deletingLastPathComponent().appendingPathComponent("../Resources").standardized)
    let found = candidates.first {
      FileManager.default.fileExists(atPath: $0.appendingPathComponent(name).path)
    }
    guard let found else {
      throw WorkbenchError(
        "The embedded digits are missing; keep the folder convolution-workbench_Learning.resources next to the"
          + " program, or choose other data.")
    }
    return found.path
  }
}
