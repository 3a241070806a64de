import Compute
import Layers
import Tensors

/// Stochastic gradient descent with momentum, as PyTorch's.
package final class SGD: Optimizer {
  /// What is the same in every step.
  package struct Options: Hashable, Sendable, Codable {
    /// The share of the last step that is kept.
    package var momentum: Double
    /// Whether to use Nesterov momentum.
    package var nesterov: Bool
    /// L2 weight decay.
    package var weightDecay: Double
    /// η of AdderNet's gradient scaling.
    package var adderRate: Double

    /// Options; by default plain gradient descent.
    package init(
      momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0, adderRate: Double = 0.2
    ) {
      self.momentum = momentum
      self.nesterov = nesterov
      self.weightDecay = weightDecay
      self.adderRate = adderRate
    }
  }

  private let options: Options
  private let parameters: [Parameter]
  private var velocities: [Tensor?]

  /// An optimiser of the given parameters.
  package init(_ parameters: [Parameter], _ options: Options) {
    self.parameters = parameters
    self.options = options
    velocities = Array(repeating: nil, count: parameters.count)
  }

  /// Changes every parameter that has a gradient.
  ///
  /// v ← momentum · v + g + decay · w, then w ← w − rate · v (with Nesterov, w − rate · (g + momentum · v)). An
  /// adder's gradient is scaled by η·√n / ‖g‖₂ first.
  package func step(rate: Double) {
    for (index, parameter) in parameters.enumerated() {
      guard var gradient = parameter.gradient else { continue }
      let count = gradient.count, stepRate = Float(rate * parameter.rateFactor)
      gradient.scaleForAdder(parameter, rate: options.adderRate)
      if parameter.decays { gradient.add(options.weightDecay, times: parameter.value) }
      if options.momentum != 0 {
        var velocity = velocities[index] ?? Tensor(repeating: 0, gradient.shape)
        velocities[index] = nil
        gradient.withPointer { g in
          velocity.withMutablePointer { v in
            Elementwise.scale(Float(options.momentum), v, v, count: count, threads: 1)
            Elementwise.addScaled(1, g, v, count: count, threads: 1)
          }
        }
        if options.nesterov {
          gradient.add(options.momentum, times: velocity)
        } else {
          gradient = velocity
        }
        velocities[index] = velocity
      }
      gradient.withPointer { g in
        parameter.value.withMutablePointer {
          Elementwise.addScaled(-stepRate, g, $0, count: count, threads: 1)
        }
      }
    }
  }

  package var slots: [String: [Tensor?]] {
    get { ["momentum": velocities] }
    set { velocities = newValue["momentum"] ?? velocities }
  }
}
