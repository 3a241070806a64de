import Foundation
import Tensors

/// Softmax cross-entropy, averaged over a batch.
package enum CrossEntropy {
  /// The loss of a batch, its gradient, and what is predicted.
  ///
  /// - Parameters:
  ///   - logits: `[batch, 1, 1, classes]` or any shape with as many elements.
  ///   - labels: one for each image, below the number of classes.
  ///   - smoothing: the share of the target that is spread evenly over all classes (Szegedy et al., 2015,
  ///     arXiv:1512.00567).
  package static func evaluate(_ logits: Tensor, _ labels: [Int], smoothing: Double = 0) -> BatchLoss {
    let classes = logits.count / labels.count
    var gradient = Tensor(uninitialized: logits.shape)
    var loss = 0.0, predicted: [Int] = [], ranks: [Int] = []
    var confidences: [Double] = []
    logits.withPointer { logits in
      gradient.withMutablePointer { gradient in
        for (image, label) in labels.enumerated() {
          let row = logits + image * classes, target = gradient + image * classes
          var best = 0
          for index in 1..<max(classes, 1) where row[index] > row[best] { best = index }
          let largest = Double(row[best])
          var sum = 0.0
          for index in 0..<classes { sum += exp(Double(row[index]) - largest) }
          for index in 0..<classes {
            let logProbability = Double(row[index]) - largest - log(sum)
            let wanted = smoothing / Double(classes) + (index == label ? 1 - smoothing : 0)
            loss -= wanted * logProbability
            target[index] = Float((exp(logProbability) - wanted) / Double(labels.count))
          }
          predicted.append(best)
          let own = row[label]
          ranks.append(
            (0..<classes).count { $0 != label && !(row[$0] < own || row[$0] == own && $0 > label) })
          confidences.append(1 / sum)
        }
      }
    }
    return BatchLoss(
      loss: loss / Double(labels.count), gradient: gradient, predicted: predicted, ranks: ranks,
      confidences: confidences)
  }
}
