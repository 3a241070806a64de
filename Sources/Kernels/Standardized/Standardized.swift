import Layers
import Tensors

/// Weight standardisation: each output's weights have mean 0 and variance 1.
struct Standardized: Kernel {
  let name = "standardized"
  let family = KernelFamily.weights
  let summary = "k×k convolution whose weights have mean 0 and variance 1 for each output"
  let formula = "y[p, o] = Σ over t, c of x[p·s + t, c] · (w[t, c, o] − μ[o]) / √(σ²[o] + ε)"
  let paper = "Qiao et al., 2019, arXiv:1903.10520"
  let options: [any AnyKernelOption] = [KernelOptions.window, KernelOptions.dilation]

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    guard site.geometry.taps * site.geometry.channelsPerGroup > 1 else {
      throw WorkbenchError("standardized turns a single weight per output into zero; use standard.")
    }
    return try ConvolutionLayer(site, transform: WeightStandardization())
  }
}

/// (w − μ) / √(σ² + ε) for each output, where σ² is the mean of squares.
struct WeightStandardization: FilterTransform {
  private let epsilon = 1e-6
  let printedPrefix = "Standardized"

  func filter(_ w: Tensor64) -> Tensor64 {
    w.byOutput { positions, result in
      let deviation = Self.standardize(positions, &result, epsilon)
      for position in positions { result[position] /= deviation }
    }
  }

  /// Subtracts the mean; returns the deviation.
  private static func standardize(
    _ positions: StrideTo<Int>, _ values: inout [Double], _ epsilon: Double
  ) -> Double {
    var sum = 0.0, squares = 0.0, count = 0.0
    for position in positions { (sum, count) = (sum + values[position], count + 1) }
    for position in positions {
      values[position] -= sum / count
      squares += values[position] * values[position]
    }
    return (squares / count + epsilon).squareRoot()
  }

  /// With v the filter: (g − mean(g) − v · mean(g · v)) / √(σ² + ε).
  func gradient(_ w: Tensor64, _ gradient: Tensor64) -> Tensor64 {
    w.byOutput { positions, v in
      let deviation = Self.standardize(positions, &v, epsilon)
      var sum = 0.0, products = 0.0, count = 0.0
      for position in positions {
        v[position] /= deviation
        sum += gradient.values[position]
        products += gradient.values[position] * v[position]
        count += 1
      }
      for position in positions {
        v[position] =
          (gradient.values[position] - sum / count - v[position] * products / count) / deviation
      }
    }
  }

  /// Two sums, a difference and a division for each weight; two means, a root and its inverse for each output.
  func makingCost(_ shape: [Int], backward: Bool) -> Cost {
    let count = shape.reduce(1, *), outputs = shape[3]
    return backward
      ? Cost(macs: 2 * count, adds: 2 * count - outputs, otherOps: count + 2 * outputs)
      : Cost(macs: count, adds: 2 * count - outputs, otherOps: count + 4 * outputs)
  }
}
