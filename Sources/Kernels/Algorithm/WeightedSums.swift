import Compute
import Tensors

/// Σ (x − w) · g = Σ x · g − w · Σ g: turns a convolution's weight gradient into AdderNet's, times a factor.
func subtractWeightedSums(
  _ dw: inout Tensor, _ weight: Tensor, _ g: Tensor, factor: Float, threads: Int
) {
  let outputs = weight.shape[3], rows = g.count / outputs
  let sums = g.withPointer { channelSum($0, rows: rows, channels: outputs, threads: threads) }.map {
    Float($0)
  }
  let count = dw.count
  weight.withPointer { w in
    dw.withMutablePointer { dw in
      for index in 0..<count { dw[index] = factor * (dw[index] - w[index] * sums[index % outputs]) }
    }
  }
}
