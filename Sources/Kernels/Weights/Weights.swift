import Layers
import Tensors

/// Where an operator's weights come from: the third of its four answers.
///
/// They lead from parameters to the filter `[kernel height, kernel width, input channels / groups, output channels]`
/// that the algorithms use, and back from the filter's gradient to the parameters'. A single learned array that is
/// transformed before use is ``TransformedWeights``.
public protocol Weights: AnyObject {
  /// The parameters, named as in files.
  var ownParameters: [NamedParameter] { get }

  /// The filter. It is a parameter so that what algorithms derive from it, such as packed weights, lasts until its
  /// version changes. If the weights are used unchanged, it is their only parameter.
  var filter: Parameter { get }

  /// Called before a forward pass, whose context may hold decisions (`Context.decisions`); by default it does
  /// nothing.
  func prepare(_ context: Context)

  /// Sets the parameters' gradients from the filter's.
  func backward(_ gradient: Tensor)

  /// The filter by its definition, from the values of `ownParameters`.
  func definition(_ parameters: [Tensor64]) -> Tensor64

  /// The gradients to `ownParameters`, by the definition.
  func definitionGradients(_ parameters: [Tensor64], _ gradient: Tensor64) -> [Tensor64]

  /// Whether, with decisions held, the filter is smooth and `backward` gives its derivatives; false by default.
  /// Studies of second derivatives refuse others.
  var holdsDecisions: Bool { get }

  /// Whether `backward` deliberately gives something other than derivatives, as a straight-through estimator does;
  /// false by default.
  var hasOwnGradients: Bool { get }

  /// Whether whole parameters give a filter of whole numbers; true by default.
  var isExactOnIntegers: Bool { get }

  /// The cost of a pass whose terms would cost `terms` with arbitrary weights. It is less if the filter's values save
  /// products; in training it includes computing the filter. By default it is `terms`.
  func cost(_ terms: Cost, count: Int, outputs: Int, pass: Cost.Pass) -> Cost

  /// What precedes the layer's name in PyTorch's printed notation; nothing by default.
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

/// Learned weights that are used unchanged.
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
