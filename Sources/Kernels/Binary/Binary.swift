import Layers
import Tensors

/// Binary weights: signs, with a scale for each output; inputs may be signs, too.
struct Binary: Kernel {
  let name = "binary"
  let family = KernelFamily.weights
  let summary =
    "k×k convolution whose weights are ±α, one α for each output; inputs stay as they are, or are signs"
  let formula =
    "y[p, o] = α[o] · Σ over t, c of x[p·s + t, c] · sign(w[t, c, o]), α[o] = mean over t, c of |w|"
  let paper = "Rastegari et al., 2016, arXiv:1603.05279"
  let options: [any AnyKernelOption] = [inputs, KernelOptions.window, KernelOptions.dilation]

  private enum Inputs: String, CaseIterable { case real, binary }

  private static let inputs = KernelOption(
    "inputs", .word, initial: Inputs.real,
    help: "binary: −1, 0 or 1 by their signs (XNOR-Net, without the scale of the inputs)")

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    let convolution = try ConvolutionLayer(site, transform: ScaledSigns())
    if site.options[Self.inputs] == .real { return convolution }
    return ComposedLayer(site, [("signs", Signs()), ("", convolution)], around: convolution)
  }
}

/// α · sign(w), 0 taken as positive. The gradient is the paper's: 1/n + α where |w| ≤ 1, n the weights of an output.
struct ScaledSigns: StraightThrough {
  let printedPrefix = "Binary"

  func filter(_ w: Tensor64) -> Tensor64 {
    w.byOutput { positions, result in
      let all = Tensor64.magnitudes(positions, of: result), scale = all.sum / all.count
      for position in positions { result[position] = result[position] < 0 ? -scale : scale }
    }
  }

  func slopes(_ w: Tensor64) -> Tensor64 {
    w.byOutput { positions, result in
      let all = Tensor64.magnitudes(positions, of: result), scale = all.sum / all.count
      for position in positions {
        result[position] = 1 / all.count + (abs(result[position]) <= 1 ? scale : 0)
      }
    }
  }

  func productCost(count: Int, outputs: Int, pass: Cost.Pass) -> Cost {
    additionCost(count: count, outputs: outputs, pass: pass)
  }

  /// A mean of magnitudes and the signs; backward, a comparison, a sum and a product for each weight.
  func makingCost(_ shape: [Int], backward: Bool) -> Cost {
    let count = shape.reduce(1, *), outputs = shape[3]
    return backward
      ? Cost(adds: count, otherOps: 2 * count)
      : Cost(adds: count - outputs, otherOps: 2 * count + outputs)
  }
}
