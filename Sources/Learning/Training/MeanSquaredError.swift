import Tensors

/// The mean of squared differences, over a batch and all its values, as PyTorch's `MSELoss`.
enum MeanSquaredError {
  /// - Parameters:
  ///   - outputs: `[batch, 1, 1, values]` or any shape with as many elements as there are targets.
  ///   - targets: one image after the other.
  ///   - scale: what the network predicts standardised; nil if it predicts the targets themselves.
  static func evaluate(_ outputs: Tensor, _ targets: [Float], _ scale: TargetScale?) -> BatchLoss {
    precondition(outputs.count == targets.count, "\(targets.count) outputs expected, found \(outputs.count)")
    let count = Double(max(targets.count, 1)), values = outputs.values
    func differences(_ outputs: [Float], _ targets: [Float]) -> [Double] {
      zip(outputs, targets).map { Double($0) - Double($1) }
    }
    func meanSquare(_ differences: [Double]) -> Double { differences.reduce(0) { $0 + $1 * $1 } / count }
    let trained = differences(values, scale?.standardized(targets) ?? targets)
    let errors = scale.map { differences($0.predictions(values), targets) } ?? trained
    return BatchLoss(
      loss: meanSquare(trained), gradient: Tensor(trained.map { Float(2 * $0 / count) }, outputs.shape),
      squaredError: meanSquare(errors),
      absoluteError: errors.reduce(0) { $0 + abs($1) } / count)
  }
}
