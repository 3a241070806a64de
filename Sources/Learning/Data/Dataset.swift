import Foundation
import Tensors

/// Images with labels or values, split for training, validation and testing.
package struct Dataset: Sendable {
  /// The item of `--data` that names it, such as `digits` or `mnist:/data/mnist`.
  package internal(set) var name: String
  /// The item with all options, including those at their defaults; saved in trainings.
  package internal(set) var definition: String
  /// The number of classes, where labels are 0 ..< `classes`; in a regression the number of values for each image.
  package let classes: Int
  /// The training split.
  package let train: Examples
  /// The split by which epochs, rates and recipes are chosen; nil if there is none.
  package let validation: Examples?
  /// The test split, with images of the same extents.
  package let test: Examples
  /// The augmentation that keeps the meaning of these images. It is not applied here.
  package let augmentation: Augmentation
  /// The normalisation of its images.
  let normalization: Normalization

  /// Whether values are to be predicted, not classes.
  package var isRegression: Bool { train.isRegression }

  /// A dataset of images that are in NHWC order and scaled, but not normalised yet.
  ///
  /// - Parameters:
  ///   - shift: the largest shift of its augmentation, in pixels.
  ///   - flips: whether its augmentation mirrors images.
  /// - Throws: a ``WorkbenchError`` if the splits disagree in extents, or hold values that are not finite.
  init(
    name: String, classes: Int, train: consuming Examples, validation: consuming Examples? = nil,
    test: consuming Examples, shift: Int = 0, flips: Bool = false
  ) throws {
    let extents = [("validation", validation?.extents), ("test", test.extents)]
    for case (let split, let found?) in extents where found != train.extents {
      throw WorkbenchError(
        "The data '\(name)' has training images of \(train.extents) and \(split) images of \(found)"
          + " (height × width × channels); they must be equal.")
    }
    let normalization = Normalization(train.images)
    guard normalization.apply(to: &train.images), normalization.apply(to: &validation),
      normalization.apply(to: &test.images)
    else {
      throw WorkbenchError("The data '\(name)' contain values that are infinite or not a number.")
    }
    self.name = name
    definition = name
    self.classes = classes
    self.normalization = normalization
    self.train = train
    self.validation = validation
    self.test = test
    augmentation = Augmentation(shift: shift, flips: flips, fill: normalization.zero)
  }
}

extension Dataset {
  /// A part of a dataset.
  package enum Split: String, Sendable, CaseIterable { case train, validation, test }

  /// The images of a split; nil if there is none.
  package subscript(split: Split) -> Examples? {
    switch split {
    case .train: train
    case .validation: validation
    case .test: test
    }
  }
}

/// Images with their labels or values.
package struct Examples: Sendable {
  /// The normalised images, `[count, height, width, channels]`.
  package internal(set) var images: Tensor
  /// Their labels or values.
  package let targets: Targets

  /// The number of images.
  package var count: Int { images.shape[0] }

  /// One label per image; none in a regression.
  package var labels: [Int] {
    if case .labels(let labels) = targets { labels } else { [] }
  }

  /// Whether the targets are values.
  var isRegression: Bool {
    if case .values = targets { true } else { false }
  }

  /// The extents of an image, in words.
  var extents: String { images.shape.dropFirst().map { "\($0)" }.joined(separator: "×") }

  /// Images with checked labels or values.
  init(images: Tensor, targets: Targets) {
    self.images = images
    self.targets = targets
  }

  /// Images and as many labels.
  ///
  /// - Parameter source: their name in errors.
  /// - Throws: a ``WorkbenchError`` if there are none, their numbers differ, or a label is not in 0 ..< `classes`.
  init(images: Tensor, labels: [Int], classes: Int, source: String) throws {
    guard images.count > 0 else { throw WorkbenchError("\(source) holds no images.") }
    guard images.shape[0] == labels.count else {
      throw WorkbenchError("\(source) holds \(images.shape[0]) images but \(labels.count) labels.")
    }
    if let wrong = labels.first(where: { !(0..<classes).contains($0) }) {
      throw WorkbenchError("\(source) holds the label \(wrong), which is not in 0...\(classes - 1).")
    }
    self.images = images
    targets = .labels(labels)
  }

  /// Images and as many values for each of them as there are for the first.
  ///
  /// - Throws: a ``WorkbenchError`` if there are none, or a value is not finite.
  init(images: Tensor, values: [Float], source: String) throws {
    guard images.count > 0 else { throw WorkbenchError("\(source) holds no images.") }
    guard !values.isEmpty, values.count % images.shape[0] == 0 else {
      throw WorkbenchError("\(source) holds \(images.shape[0]) images but \(values.count) values.")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw WorkbenchError("\(source) holds targets that are infinite or not a number.")
    }
    self.images = images
    targets = .values(values)
  }
}
