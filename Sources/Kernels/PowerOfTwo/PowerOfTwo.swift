import Foundation
import Layers
import Tensors

/// Weights that are powers of two: bit shifts instead of products.
struct PowerOfTwo: Kernel {
  let name = "power-of-two"
  let family = KernelFamily.weights
  let summary = "k×k convolution whose weights are ± powers of two, so that products are bit shifts"
  let formula = "y[p, o] = Σ over t, c of x[p·s + t, c] · sign(w[t, c, o]) · 2^round(log₂ |w[t, c, o]|)"
  let paper = "Elhoushi et al., 2019, arXiv:1905.13298"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site, transform: NearestPower())
  }
}

/// The power of two with the nearest exponent; 0 stays. The gradient passes unchanged.
struct NearestPower: StraightThrough {
  let printedPrefix = "PowerOfTwo"

  func filter(_ w: Tensor64) -> Tensor64 {
    w.map { $0 == 0 ? 0 : ($0 < 0 ? -1 : 1) * exp2(log2(abs($0)).rounded(.toNearestOrEven)) }
  }

  /// A shift (an "other" operation) and an addition for each product. Backward, the gradient to the filter needs
  /// ordinary products.
  func productCost(count: Int, outputs: Int, pass: Cost.Pass) -> Cost {
    Cost(macs: pass == .backward ? count : 0, adds: count, otherOps: count)
  }

  /// A logarithm, a rounding, a power and a sign for each weight; nothing backward.
  func makingCost(_ shape: [Int], backward: Bool) -> Cost {
    backward ? Cost() : Cost(otherOps: 4 * shape.reduce(1, *))
  }
}
