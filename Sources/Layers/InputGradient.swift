import Compute
import Tensors

/// What becomes of the gradient to a layer's input.
public enum InputGradient: Sendable {
  /// It is returned.
  case needed
  /// Another branch's gradient, which has the input's shape, is added to it, and the sum is returned.
  case plus(Tensor)
  /// It is not needed, as in a network's first layer; what the backward pass then returns has no meaning.
  case unneeded

  /// Whether it is needed.
  public var isNeeded: Bool {
    if case .unneeded = self { return false }
    return true
  }

  /// The other branch's gradient, if there is one.
  public var summand: Tensor? {
    if case .plus(let summand) = self { return summand }
    return nil
  }

  /// The return value of a backward pass that has computed the gradient to its input.
  public func total(_ gradient: consuming Tensor, threads: Int) -> Tensor {
    guard let summand else { return gradient }
    gradient.add(summand, threads: threads)
    return gradient
  }

  /// The return value of a backward pass if the gradient is not needed.
  public static var nothing: Tensor { Tensor(uninitialized: [0]) }
}
