import Layers
import Tensors

/// Where an operator's weights come from: the third of its four answers.
///
/// From parameters to the filter `[kernel height, kernel width, input channels / groups, output channels]` that the
/// algorithms take, and back from the filter's gradient to the parameters'. Weights that are one learned array, changed
/// before it is used, are ``TransformedWeights``.
public protocol Weights: AnyObject {
  /// The parameters, named as in files.
  var ownParameters: [NamedParameter] { get }

  /// The filter. It is a parameter so that what algorithms make of it, such as packed weights, lasts until its version
  /// changes; where the weights are learned as they are, it is their only parameter.
  var filter: Parameter { get }

  /// Called before a forward pass, whose context may hold decisions (`Context.decisions`); does nothing by default.
  func prepare(_ context: Context)

  /// Sets the parameters' gradients from the filter's.
  func backward(_ gradient: Tensor)

  /// The filter by its definition, from the values of `ownParameters`.
  func definition(_ parameters: [Tensor64]) -> Tensor64

  /// The gradients to `ownParameters`, by the definition.
  func definitionGradients(_ parameters: [Tensor64], _ gradient: Tensor64) -> [Tensor64]

  /// Whether, with decisions held, `backward` gives the derivatives of the filter, which is smooth then; false by default.
  /// Studies of second derivatives refuse others.
  var holdsDecisions: Bool { get }

  /// Whether `backward` gives, on purpose, something else than derivatives, as a straight-through estimator does; false by
  /// default.
  var hasOwnGradients: Bool { get }

  /// Whether the filter is whole numbers where the parameters are; true by default.
  var isExactOnIntegers: Bool { get }

  /// What a pass costs whose terms cost `terms` with weights of any values: less where the filter's values save products,
  /// and, in training, with what making the filter costs; by default `terms`.
  func cost(_ terms: Cost, count: Int, outputs: Int, pass: Cost.Pass) -> Cost

  /// What stands before the name of the layer where PyTorch's notation is printed; nothing by default.
  var printedPrefix: String { get }
}

extension Weights {
  public func prepare(_ context: Context) {}
  public var holdsDecisions: Bool { false }
  public var hasOwnGradients: Bool { false }
  public var isExactOnIntegers: Bool { true }
  public func cost(_ terms: Cost, count: Int, outputs: Int, pass: Cost.Pass) -> Cost { terms }
  public var printedPrefix: String { "" }
}

/// Weights that are learned as they are.
public final class LearnedWeights: Weights {
  public let filter: Parameter

  /// Weights under the name `weight`.
  public init(_ filter: Parameter) { self.filter = filter }

  public var ownParameters: [NamedParameter] { [NamedParameter("weight", filter)] }
  public var holdsDecisions: Bool { true }
  public func backward(_ gradient: Tensor) { filter.gradient = gradient }
  public func definition(_ parameters: [Tensor64]) -> Tensor64 { parameters[0] }
  public func definitionGradients(_ parameters: [Tensor64], _ gradient: Tensor64) -> [Tensor64] { [gradient] }
}
