import Compute
import Layers
import Tensors

/// Adam (Kingma and Ba, 2014, arXiv:1412.6980) and AdamW (Loshchilov and Hutter, 2017, arXiv:1711.05101), as PyTorch's.
package final class Adam: Optimizer {
  /// What is the same in every step.
  package struct Options: Hashable, Sendable, Codable {
    /// The share of the last mean of gradients that is kept.
    package var beta1: Double
    /// The share of the last mean of squares that is kept.
    package var beta2: Double
    /// Added to the root of the mean of squares.
    package var epsilon: Double
    /// Weight decay: added to the gradients (L2), or subtracted from the weights (decoupled).
    package var weightDecay: Double
    /// Whether weight decay acts on the weights themselves (AdamW).
    package var isDecoupled: Bool
    /// η of AdderNet's gradient scaling.
    package var adderRate: Double

    /// Options; by default PyTorch's.
    package init(
      beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
      isDecoupled: Bool = false, adderRate: Double = 0.2
    ) {
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.weightDecay = weightDecay
      self.isDecoupled = isDecoupled
      self.adderRate = adderRate
    }
  }

  private let options: Options
  private let parameters: [Parameter]
  private var means: [Tensor?], squares: [Tensor?]
  /// The steps that each parameter has taken, as a tensor of one value: it is saved with the others.
  private var counts: [Tensor?]

  /// An optimiser of the given parameters.
  package init(_ parameters: [Parameter], _ options: Options) {
    self.parameters = parameters
    self.options = options
    means = Array(repeating: nil, count: parameters.count)
    squares = means
    counts = means
  }

  /// m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← w − rate · m̂ / (√v̂ + ε), with m̂ and v̂ corrected for their
  /// start at zero.
  package func step(rate: Double) {
    for (index, parameter) in parameters.enumerated() {
      guard var gradient = parameter.gradient else { continue }
      let rate = rate * parameter.rateFactor, count = gradient.count
      gradient.scaleForAdder(parameter, rate: options.adderRate)
      if parameter.decays && !options.isDecoupled {
        gradient.add(options.weightDecay, times: parameter.value)
      }
      // A file may hold anything.
      let taken = counts[index]?[0] ?? 0
      let step = taken >= 0 && taken < 1e9 ? taken + 1 : 1
      var mean = means[index] ?? Tensor(repeating: 0, gradient.shape)
      var square = squares[index] ?? Tensor(repeating: 0, gradient.shape)
      means[index] = nil
      squares[index] = nil
      if parameter.decays && options.isDecoupled {
        parameter.value.withMutablePointer {
          Elementwise.scale(Float(1 - rate * options.weightDecay), $0, $0, count: count, threads: 1)
        }
      }
      let beta1 = Float(options.beta1), beta2 = Float(options.beta2), epsilon = Float(options.epsilon)
      let rest1 = Float(1 - options.beta1), rest2 = Float(1 - options.beta2)
      let stepRate = Float(rate / (1 - power(options.beta1, Int(step))))
      let root = Float((1 - power(options.beta2, Int(step))).squareRoot())
      gradient.withPointer { g in
        mean.withMutablePointer { m in
          square.withMutablePointer { v in
            parameter.value.withMutablePointer { w in
              for index in 0..<count {
                m[index] = beta1 * m[index] + rest1 * g[index]
                v[index] = beta2 * v[index] + rest2 * g[index] * g[index]
                w[index] -= stepRate * m[index] / (v[index].squareRoot() / root + epsilon)
              }
            }
          }
        }
      }
      means[index] = mean
      squares[index] = square
      counts[index] = Tensor([step], [1])
    }
  }

  package var slots: [String: [Tensor?]] {
    get { ["mean": means, "square": squares, "steps": counts] }
    set {
      means = newValue["mean"] ?? means
      squares = newValue["square"] ?? squares
      counts = newValue["steps"] ?? counts
    }
  }

  /// By repeated squaring: the same bits everywhere.
  private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0, factor = base, rest = exponent
    while rest > 0 {
      if rest & 1 == 1 { result *= factor }
      factor *= factor
      rest >>= 1
    }
    return result
  }
}
