import Layers
import Tensors

/// Where an operator's weights come from: the third of its four answers.
///
/// From parameters to the filter `[kernel height, kernel width, input channels / groups, output channels]` that the
/// algorithms take, and back from the filter's gradient to the parameters'.
public protocol Weights: AnyObject {
  /// The parameters, named as in files.
  var ownParameters: [NamedParameter] { get }

  /// The filter. It is a parameter so that what algorithms make of it, such as packed weights, lasts until its version
  /// changes; where the weights are learned as they are, it is their only parameter.
  var filter: Parameter { get }

  /// Whether the filter is a smooth function of the parameters, as `backward` has it; false by default. Studies of second
  /// derivatives refuse others.
  var isSmooth: Bool { get }

  /// Sets the parameters' gradients from the filter's.
  func backward(_ gradient: Tensor)

  /// The filter by its definition, from the values of `ownParameters`.
  func definition(_ parameters: [Tensor64]) -> Tensor64

  /// The gradients to `ownParameters`, by the definition.
  func definitionGradients(_ parameters: [Tensor64], _ gradient: Tensor64) -> [Tensor64]
}

extension Weights {
  public var isSmooth: Bool { false }
}

/// Weights that are learned as they are.
public final class LearnedWeights: Weights {
  public let filter: Parameter

  /// Weights under the name `weight`.
  public init(_ filter: Parameter) { self.filter = filter }

  public var ownParameters: [NamedParameter] { [NamedParameter("weight", filter)] }
  public var isSmooth: Bool { true }
  public func backward(_ gradient: Tensor) { filter.gradient = gradient }
  public func definition(_ parameters: [Tensor64]) -> Tensor64 { parameters[0] }
  public func definitionGradients(_ parameters: [Tensor64], _ gradient: Tensor64) -> [Tensor64] { [gradient] }
}
