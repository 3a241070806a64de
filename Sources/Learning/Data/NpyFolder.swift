import Foundation
import Tensors

extension Dataset {
  /// The user's own arrays: `train_images.npy`, `train_labels.npy`, `test_images.npy` and `test_labels.npy`.
  ///
  /// Images are `[count, height, width]` or `[count, channels, height, width]`, of any numeric type, and are
  /// normalised but not scaled before; labels are integers from 0, `[count]`. The number of classes is the
  /// largest label plus one.
  static func npy(_ name: String, _ folder: String) throws -> Dataset {
    func read(_ file: String) throws -> NpyArray {
      try NpyFile.read((folder as NSString).appendingPathComponent(file), limit: largestFile)
    }
    let trainLabels = try npyLabels(read("train_labels.npy"))
    let testLabels = try npyLabels(read("test_labels.npy"))
    let classes = max(trainLabels.max() ?? 0, testLabels.max() ?? 0) + 1
    let train = try Examples(
      images: npyImages(read("train_images.npy")), labels: trainLabels, classes: classes,
      source: "\(folder)/train_*.npy")
    let test = try Examples(
      images: npyImages(read("test_images.npy")), labels: testLabels, classes: classes,
      source: "\(folder)/test_*.npy")
    return try Dataset(name: name, classes: classes, train: train, test: test)
  }

  private static func npyImages(_ array: NpyArray) throws -> Tensor {
    switch array.shape.count {
    case 3: return try array.tensor().reshaped(array.shape + [1])
    case 4: return try array.tensor().fromFileOrder(.features)
    default:
      throw WorkbenchError(
        "\(array.path) has the shape \(array.shape), but images must be [count, height, width] or"
          + " [count, channels, height, width].")
    }
  }

  private static func npyLabels(_ array: NpyArray) throws -> [Int] {
    guard array.shape.count == 1 else {
      throw WorkbenchError("\(array.path) has the shape \(array.shape), but labels must be [count].")
    }
    let labels = try array.integers()
    if let wrong = labels.first(where: { !(0...65_535).contains($0) }) {
      throw WorkbenchError("\(array.path) holds the label \(wrong), which is not in 0...65535.")
    }
    return labels
  }
}
