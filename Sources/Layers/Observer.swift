import Tensors

/// Sees what passes through a network in training: the outputs of layers, and the gradients to them.
///
/// Reported are the layers that stand in sequences, a kernel as one layer whatever it consists of, and every ReLU
/// (its output only). For one thread of control.
public final class Observer: @unchecked Sendable {
  private let output: (any Layer, Tensor) -> Void
  private let gradient: (any Layer, Tensor) -> Void
  /// How many layers that are no containers are running, one inside the other.
  private var depth = 0

  /// An observer.
  ///
  /// - Parameters:
  ///   - output: called with a layer and its output, in the order of the forward pass.
  ///   - gradient: called with a layer and the gradient to its output, in the order of the backward pass.
  public init(
    output: @escaping (any Layer, Tensor) -> Void,
    gradient: @escaping (any Layer, Tensor) -> Void = { _, _ in }
  ) {
    self.output = output
    self.gradient = gradient
  }

  /// Says that a layer starts, in the backward pass with the gradient to its output.
  func enter(_ layer: any Layer, gradient: Tensor? = nil) {
    guard !(layer is any Container) else { return }
    if depth == 0, let gradient { self.gradient(layer, gradient) }
    depth += 1
  }

  /// Says that it has ended, in the forward pass with its output.
  func leave(_ layer: any Layer, output: Tensor? = nil) {
    guard !(layer is any Container) else { return }
    depth -= 1
    if depth == 0, let output, !(layer is ReLU), !(layer is ReLU6) { self.output(layer, output) }
  }

  /// Says what a ReLU has let through.
  func rectified(_ relu: any Layer, _ output: Tensor) { self.output(relu, output) }
}

extension Context {
  /// Tells the observer, if there is one, of a ReLU's output: whoever computes it calls this.
  public func report(rectified output: Tensor, of relu: any Layer) { observer?.rectified(relu, output) }
}
