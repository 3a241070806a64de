import Layers
import Tensors

/// Ternary weights: −α, 0 or α.
struct Ternary: Kernel {
  let name = "ternary"
  let family = KernelFamily.weights
  let summary = "k×k convolution whose weights are −α, 0 or α, one α for each output"
  let formula =
    "y[p, o] = α[o] · Σ over t, c of x[p·s + t, c] · sign(w[t, c, o]) where |w| > Δ[o] = 0.7 · mean |w|, α the mean of these |w|"
  let paper = "Li et al., 2016, arXiv:1605.04711"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site, transform: ScaledThirds())
  }
}

/// Each weight's sign times α, or 0 below the threshold. The gradient passes unchanged.
struct ScaledThirds: StraightThrough {
  let printedPrefix = "Ternary"

  func filter(_ w: Tensor64) -> Tensor64 {
    w.byOutput { positions, result in
      let all = Tensor64.magnitudes(positions, of: result), threshold = 0.7 * all.sum / all.count
      let kept = Tensor64.magnitudes(positions, of: result, above: threshold)
      let scale = kept.count > 0 ? kept.sum / kept.count : 0
      for position in positions {
        let value = result[position]
        result[position] = abs(value) > threshold ? (value < 0 ? -scale : scale) : 0
      }
    }
  }

  /// Zeros are counted like other weights, because their number depends on what was learned.
  func productCost(count: Int, outputs: Int, pass: Cost.Pass) -> Cost {
    additionCost(count: count, outputs: outputs, pass: pass)
  }

  /// Two means of magnitudes, a comparison and a sign for each weight, the threshold; nothing backward.
  func makingCost(_ shape: [Int], backward: Bool) -> Cost {
    let count = shape.reduce(1, *), outputs = shape[3]
    return backward ? Cost() : Cost(adds: 2 * (count - outputs), otherOps: 3 * count + 3 * outputs)
  }
}
