import Tensors

/// Sees what passes through a network: what its layers read and write, how long they take, and the gradients to their
/// outputs.
///
/// It is told of the layers that containers run (a kernel counts as one layer, whatever it consists of) and of every
/// ReLU's output. Not safe for concurrent use.
package final class Observer: @unchecked Sendable {
  /// A layer that has run.
  package struct Run {
    /// Its path, for example `layer1.0.conv2`. In training, its output does not include what is fused with it.
    package let name: String
    /// The layer.
    package let layer: any Layer
    /// What it read.
    package let input: Tensor
    /// Its output, in inference including its epilogue.
    package let output: Tensor
    /// Its duration.
    package let seconds: Double
  }

  private let ran: (Run) -> Void
  private let rectified: (any Layer, Tensor) -> Void
  private let gradient: (any Layer, Tensor) -> Void
  private var path: [String] = []
  /// How many layers other than containers are running, one inside the other.
  private var depth = 0

  /// An observer.
  ///
  /// - Parameters:
  ///   - ran: called with each layer that has run, in the order of the forward pass.
  ///   - rectified: called with each ReLU and its output, those inside kernels included, in training.
  ///   - gradient: called with a layer and the gradient to its output, in the order of the backward pass.
  package init(
    ran: @escaping (Run) -> Void = { _ in }, rectified: @escaping (any Layer, Tensor) -> Void = { _, _ in },
    gradient: @escaping (any Layer, Tensor) -> Void = { _, _ in }
  ) {
    self.ran = ran
    self.rectified = rectified
    self.gradient = gradient
  }

  fileprivate func run(_ name: String, _ layer: any Layer, _ input: Tensor, _ body: (Tensor) -> Tensor)
    -> Tensor
  {
    guard !(layer is any Container) else {
      path.append(name)
      defer { path.removeLast() }
      return body(input)
    }
    depth += 1
    defer { depth -= 1 }
    let start = ContinuousClock.now
    let output = body(input)
    let seconds = (ContinuousClock.now - start).seconds
    if depth == 1 {
      let name = (path + [name]).reduce("", dotted)
      ran(Run(name: name, layer: layer, input: input, output: output, seconds: seconds))
    }
    return output
  }

  fileprivate func runBackward(
    _ layer: any Layer, _ gradient: consuming Tensor, _ body: (consuming Tensor) -> Tensor
  ) -> Tensor {
    guard !(layer is any Container) else { return body(gradient) }
    depth += 1
    defer { depth -= 1 }
    if depth == 1 { self.gradient(layer, copy gradient) }
    return body(gradient)
  }

  fileprivate func report(_ relu: any Layer, _ output: Tensor) { rectified(relu, output) }
}

extension Context {
  /// Runs a layer of a container under its name, so that the observer, if there is one, sees it.
  public func run(_ name: String, _ layer: any Layer, _ input: Tensor, _ body: (Tensor) -> Tensor) -> Tensor {
    guard let observer else { return body(input) }
    return observer.run(name, layer, input, body)
  }

  /// Runs a forward pass of a layer of a container.
  public func run(_ part: NamedLayer, _ input: Tensor) -> Tensor {
    run(part.name, part.layer, input) { part.layer.forward($0, self) }
  }

  /// Runs the backward pass of a layer of a container, so that the observer, if there is one, sees the gradient.
  public func runBackward(_ layer: any Layer, _ gradient: consuming Tensor, input: InputGradient) -> Tensor {
    guard let observer else { return layer.backward(gradient, input: input, self) }
    return observer.runBackward(layer, gradient) { layer.backward($0, input: input, self) }
  }

  /// Tells the observer, if there is one, of a ReLU's output in training: the layer that computes it calls this.
  public func report(rectified output: Tensor, of relu: any Layer) {
    observer?.report(relu, output)
  }
}
