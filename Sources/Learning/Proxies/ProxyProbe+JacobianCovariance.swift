import Foundation
import Layers
import Tensors

extension ProxyProbe {
  /// −Σ over the eigenvalues v of the correlations between the images' input gradients of log(v + k) + 1 / (v + k),
  /// k = 1e-5; the gradient is that of the sum of all logits.
  func jacobianCovariance() throws(ProxyRefusal) -> Double {
    let images = batch.images
    let context = deciding, logits = network.forward(images, context)
    let gradient = network.backward(Tensor(repeating: 1, logits.shape), context)
    let number = images.shape[0], length = images.count / number
    guard number > 1 else { throw ProxyRefusal("it needs two images or more.") }
    // Each image's gradient, centred, of length one.
    let rows = try gradient.withPointer { g throws(ProxyRefusal) -> [[Double]] in
      var rows: [[Double]] = []
      for image in 0..<number {
        let row = (0..<length).map { Double(g[image * length + $0]) }
        let mean = row.reduce(0, +) / Double(length)
        let norm = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }.squareRoot()
        guard norm > 0, norm.isFinite else {
          throw ProxyRefusal("the gradient to an image is the same in all pixels, or not finite.")
        }
        rows.append(row.map { ($0 - mean) / norm })
      }
      return rows
    }
    let correlations = SymmetricMatrix(number) { a, b in
      zip(rows[a], rows[b]).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let k = 1e-5
    return -correlations.eigenvalues.reduce(0) { $0 + log($1 + k) + 1 / ($1 + k) }
  }
}
