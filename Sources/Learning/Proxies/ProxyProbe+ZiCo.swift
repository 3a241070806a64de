import Foundation
import Layers
import Tensors

extension ProxyProbe {
  /// Σ over weight arrays of log Σ over their elements of mean |g| / deviation of g, over the minibatches; elements
  /// whose gradients are all equal are left out, and so are arrays of only such.
  func zico() throws(ProxyRefusal) -> Double {
    guard batches.count > 1 else { throw ProxyRefusal("it needs two minibatches or more.") }
    let weights = weights
    let gradients = batches.map { batch in
      differentiate(batch, context)
      return weights.map { $0.gradient?.values ?? [] }
    }
    let count = Double(batches.count)
    var score = 0.0
    for (index, weight) in weights.enumerated() where !gradients[0][index].isEmpty {
      var sum = 0.0
      for element in 0..<weight.value.count {
        let own = gradients.map { Double($0[index][element]) }
        let mean = own.reduce(0, +) / count
        let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        if variance > 0 { sum += own.reduce(0) { $0 + abs($1) } / count / variance.squareRoot() }
      }
      if sum > 0 { score += log(sum) }
    }
    return score
  }
}
