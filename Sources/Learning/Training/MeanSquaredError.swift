import Tensors

/// The mean of squared differences, over a batch and all its values, as PyTorch's `MSELoss`.
enum MeanSquaredError {
  /// - Parameters:
  ///   - outputs: `[batch, 1, 1, values]` or any shape with as many elements as there are targets.
  ///   - targets: one image behind the other.
  static func evaluate(_ outputs: Tensor, _ targets: [Float]) -> BatchLoss {
    precondition(outputs.count == targets.count, "\(targets.count) outputs expected, found \(outputs.count)")
    let count = Double(max(targets.count, 1))
    let differences = zip(outputs.values, targets).map { Double($0) - Double($1) }
    return BatchLoss(
      loss: differences.reduce(0) { $0 + $1 * $1 } / count,
      gradient: Tensor(differences.map { Float(2 * $0 / count) }, outputs.shape), isRight: [],
      absoluteError: differences.reduce(0) { $0 + abs($1) } / count)
  }
}
