import Compute
import Tensors

/// What becomes of the gradient to a layer's input.
public enum InputGradient: Sendable {
  /// It is returned.
  case needed
  /// Another branch's gradient, which has the input's shape, is added to it: the sum is returned.
  case plus(Tensor)
  /// Nobody asks for it, as of a network's first layer; what a backward pass returns is then of no meaning.
  case unneeded

  /// Whether anybody asks for it.
  public var isNeeded: Bool {
    if case .unneeded = self { return false }
    return true
  }

  /// The other branch's gradient, if there is one.
  public var summand: Tensor? {
    if case .plus(let summand) = self { return summand }
    return nil
  }

  /// What a backward pass returns that has found the gradient to its input.
  public func total(_ gradient: consuming Tensor, threads: Int) -> Tensor {
    guard let summand else { return gradient }
    gradient.add(summand, threads: threads)
    return gradient
  }

  /// What a backward pass returns where nobody asks for it.
  public static var nothing: Tensor { Tensor(uninitialized: [0]) }
}
