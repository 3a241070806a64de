import Foundation

/// How often images of each class are taken for each class.
package struct ConfusionMatrix: Hashable, Sendable {
  /// The row is the image's class, the column the one that is predicted.
  package private(set) var counts: [[Int]]

  /// The matrix of some images.
  ///
  /// - Parameters:
  ///   - labels: their classes, below `classes`.
  ///   - predicted: the predicted ones, as many.
  package init(_ labels: [Int], _ predicted: [Int], classes: Int) {
    counts = Array(repeating: Array(repeating: 0, count: classes), count: classes)
    for (label, guess) in zip(labels, predicted)
    where counts.indices.contains(label) && counts.indices.contains(guess) {
      counts[label][guess] += 1
    }
  }

  /// The images of a class.
  package func images(_ label: Int) -> Int { counts[label].reduce(0, +) }

  /// The images of a class that are classified correctly, in percent; nil if it has none.
  package func accuracy(_ label: Int) -> Double? {
    let images = images(label)
    return images == 0 ? nil : 100 * Double(counts[label][label]) / Double(images)
  }

  /// The class that a class is most often mistaken for, and how often; nil if it never is.
  package func mistake(_ label: Int) -> (label: Int, count: Int)? {
    let others = counts[label].enumerated().filter { $0.offset != label && $0.element > 0 }
    return others.max { $0.element < $1.element }.map { ($0.offset, $0.element) }
  }
}
