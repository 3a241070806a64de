import Compute
import Layers
import Tensors

/// Changes parameters by their gradients, step by step.
package protocol Optimizer: AnyObject {
  /// Changes every parameter that has a gradient.
  func step(rate: Double)

  /// The state kept from step to step: under each name a tensor for each parameter, or nil before its first step.
  var slots: [String: [Tensor?]] { get set }
}

/// Which optimiser, and its options.
package enum OptimizerChoice: Hashable, Sendable, Codable {
  /// Stochastic gradient descent.
  case sgd(SGD.Options)
  /// Adam or AdamW.
  case adam(Adam.Options)

  /// A new optimiser of the given parameters.
  package func make(_ parameters: [Parameter]) -> any Optimizer {
    switch self {
    case .sgd(let options): SGD(parameters, options)
    case .adam(let options): Adam(parameters, options)
    }
  }
}

extension Tensor {
  /// Scales the gradient of an adder's weight by η·√n / ‖g‖₂.
  mutating func scaleForAdder(_ parameter: Parameter, rate: Double) {
    guard parameter.rule == .adder else { return }
    let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    guard norm > 0 else { return }
    let factor = Float(rate * Double(count).squareRoot() / norm), count = count
    withMutablePointer { Elementwise.scale(factor, $0, $0, count: count, threads: 1) }
  }

  /// Adds a multiple of another tensor.
  mutating func add(_ factor: Double, times other: Tensor) {
    guard factor != 0 else { return }
    let count = count
    other.withPointer { x in
      withMutablePointer { Elementwise.addScaled(Float(factor), x, $0, count: count, threads: 1) }
    }
  }
}
