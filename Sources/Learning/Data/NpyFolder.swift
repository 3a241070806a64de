import Foundation
import Tensors

extension Dataset {
  /// The user's own arrays: `train_images.npy`, `train_labels.npy`, `test_images.npy` and `test_labels.npy`.
  ///
  /// Images are `[count, height, width]` or `[count, channels, height, width]`, of any numeric type, and are
  /// normalised but not scaled before; labels are integers from 0, `[count]`. The number of classes is the
  /// largest label plus one. In place of labels, `train_targets.npy` and `test_targets.npy` hold values to
  /// predict, `[count]` or `[count, values]`.
  static func npy(_ name: String, _ folder: String) throws -> Dataset {
    func path(_ file: String) -> String { (folder as NSString).appendingPathComponent(file) }
    func read(_ file: String) throws -> NpyArray { try NpyFile.read(path(file), limit: largestFile) }
    if FileManager.default.fileExists(atPath: path("train_targets.npy")) {
      guard !FileManager.default.fileExists(atPath: path("train_labels.npy")) else {
        throw WorkbenchError(
          "\(folder) holds train_labels.npy and train_targets.npy; take one of them away.")
      }
      func split(_ name: String) throws -> (examples: Examples, width: Int) {
        let targets = try read("\(name)_targets.npy"), images = try npyImages(read("\(name)_images.npy"))
        guard (1...2).contains(targets.shape.count), targets.shape[0] == images.shape[0] else {
          throw WorkbenchError(
            "\(targets.path) has the shape \(targets.shape), but targets must be [count] or [count, values],"
              + " as many as the \(images.shape[0]) images.")
        }
        let values = try targets.tensor().values
        return (
          try Examples(images: images, values: values, source: "\(folder)/\(name)_*.npy"),
          targets.shape.count == 2 ? targets.shape[1] : 1
        )
      }
      let train = try split("train"), test = try split("test")
      guard train.width == test.width else {
        throw WorkbenchError(
          "\(folder) has \(train.width) values for each training image and \(test.width) for each test image,"
            + " which must be equal.")
      }
      return try Dataset(name: name, classes: train.width, train: train.examples, test: test.examples)
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
