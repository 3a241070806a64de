import Foundation
import Tensors

extension Dataset {
  /// The user's own arrays: `train_images.npy`, `train_labels.npy`, `test_images.npy` and `test_labels.npy`, and if there
  /// are any `validation_images.npy` and `validation_labels.npy`.
  ///
  /// Images are `[count, height, width]` or `[count, channels, height, width]`, of any numeric type, and are
  /// normalised but not scaled before; labels are integers from 0, `[count]`. The number of classes is the
  /// largest label plus one. In place of labels, `train_targets.npy` and so on hold values to predict, `[count]` or
  /// `[count, values]`.
  static func npy(_ name: String, _ folder: String, validation: Int?) throws -> Dataset {
    func path(_ file: String) -> String { (folder as NSString).appendingPathComponent(file) }
    func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: path(file)) }
    func read(_ file: String) throws -> NpyArray { try NpyFile.read(path(file), limit: largestFile) }
    let isRegression = exists("train_targets.npy"), hasValidation = exists("validation_images.npy")
    guard !isRegression || !exists("train_labels.npy") else {
      throw WorkbenchError("\(folder) holds train_labels.npy and train_targets.npy; remove one of them.")
    }
    guard !hasValidation || validation ?? 0 == 0 else {
      throw WorkbenchError(
        "\(folder) has its own validation_images.npy, so no training images are used for validation; leave out validation=\(validation ?? 0)."
      )
    }
    let splits = ["train", "test"] + (hasValidation && validation != 0 ? ["validation"] : [])
    let parts: [String: Examples], classes: Int
    if isRegression {
      let targets = try splits.map { ($0, try npyTargets(read("\($0)_targets.npy"))) }
      classes = targets[0].1.width
      for (split, target) in targets where target.width != classes {
        throw WorkbenchError(
          "\(folder) has \(classes) values for each training image and \(target.width) for each \(split) image,"
            + " which must be equal.")
      }
      parts = try Dictionary(
        uniqueKeysWithValues: targets.map { split, target in
          let images = try npyImages(read("\(split)_images.npy"))
          guard target.count == images.shape[0] else {
            throw WorkbenchError(
              "\(path("\(split)_targets.npy")) has targets for \(target.count) images, but there must be"
                + " as many as the \(images.shape[0]) images.")
          }
          return (
            split, try Examples(images: images, values: target.values, source: "\(folder)/\(split)_*.npy")
          )
        })
    } else {
      let labels = try splits.map { ($0, try npyLabels(read("\($0)_labels.npy"))) }
      classes = (labels.flatMap(\.1).max() ?? 0) + 1
      parts = try Dictionary(
        uniqueKeysWithValues: labels.map { [classes] split, labels in
          (
            split,
            try Examples(
              images: npyImages(read("\(split)_images.npy")), labels: labels, classes: classes,
              source: "\(folder)/\(split)_*.npy")
          )
        })
    }
    guard let train = parts["train"], let test = parts["test"] else {
      throw WorkbenchError("\(folder) holds no training or no test images.")
    }
    let (rest, held) =
      hasValidation ? (train, parts["validation"]) : try train.holdingOut(validation, of: name)
    return try Dataset(name: name, classes: classes, train: rest, validation: held, test: test)
  }

  private static func npyTargets(_ array: NpyArray) throws -> (values: [Float], count: Int, width: Int) {
    guard (1...2).contains(array.shape.count) else {
      throw WorkbenchError(
        "\(array.path) has the shape \(array.shape), but targets must be [count] or [count, values].")
    }
    return (try array.tensor().values, array.shape[0], array.shape.count == 2 ? array.shape[1] : 1)
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
