import Tensors

/// How an optimiser treats a parameter's gradient.
public enum UpdateRule: Sendable {
  /// As it is.
  case plain
  /// Scaled by η·√n / ‖g‖₂ first (AdderNet; Chen et al., 2020, arXiv:1912.13200, equation 13).
  case adder
}

/// An array that training changes, with its gradient.
public final class Parameter {
  /// The value, in memory layout.
  public var value: Tensor { didSet { version &+= 1 } }
  /// The gradient of the loss, in the value's shape, after a backward pass.
  public var gradient: Tensor?
  /// Counts the changes of `value`, for those who keep something derived from it.
  public private(set) var version = 0
  /// How files order the axes.
  public let layout: TensorLayout
  /// What an optimiser does with the gradient.
  public let rule: UpdateRule
  /// Whether weight decay applies.
  public let decays: Bool
  /// A factor on the learning rate.
  public let rateFactor: Double
  /// λ, if training adds λ · Σ w² to the loss on behalf of this parameter: a part of the model, not of the optimiser.
  public var penalty = 0.0
  /// Whether its values multiply what is read, as a convolution's, not an adder's: rules for initial weights are made for
  /// those.
  public var isFactor = true

  /// A parameter that starts as `value`.
  public init(
    _ value: Tensor, layout: TensorLayout, rule: UpdateRule = .plain, decays: Bool = true,
    rateFactor: Double = 1
  ) {
    self.value = value
    self.layout = layout
    self.rule = rule
    self.decays = decays
    self.rateFactor = rateFactor
  }
}

/// A parameter under the name that it has in its layer, for example `conv2.weight`.
public struct NamedParameter {
  /// The path of layer names and the parameter's own, joined by dots.
  public let name: String
  /// The parameter.
  public let parameter: Parameter

  /// A parameter and its name.
  public init(_ name: String, _ parameter: Parameter) {
    self.name = name
    self.parameter = parameter
  }
}
