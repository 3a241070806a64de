import Tensors

/// How an optimiser uses a parameter's gradient.
public enum UpdateRule: Sendable {
  /// Unchanged.
  case plain
  /// Scaled by η·√n / ‖g‖₂ first (AdderNet; Chen et al., 2020, arXiv:1912.13200, equation 13).
  case adder
}

/// What an array of a layer's state is for.
public enum Role: Sendable {
  /// Training changes it.
  case trained
  /// Training changes it; it is added.
  case bias
  /// Training changes it, but it is not a factor of a product, as in an adder. Rules for initial weights, which are
  /// made for products, do not apply to it.
  case term
  /// Training changes it; it determines where a kernel reads: learned offsets in pixels, or the weights that predict
  /// offsets.
  case position
  /// Training does not change it: running statistics.
  case buffer

  /// Whether training changes it.
  public var isTrained: Bool { self != .buffer }
}

/// An array of a layer's state, with its gradient if training changes it.
public final class Parameter {
  /// The value, in memory layout.
  public var value: Tensor { didSet { version &+= 1 } }
  /// The gradient of the loss, in the value's shape, after a backward pass.
  public var gradient: Tensor?
  /// Counts the changes of `value`, for caches of what is derived from it.
  public private(set) var version = 0
  /// How files order the axes.
  public let layout: TensorLayout
  /// What an optimiser does with the gradient.
  public let rule: UpdateRule
  /// Whether weight decay applies.
  public let decays: Bool
  /// A factor on the learning rate.
  public let rateFactor: Double
  /// λ, if training adds λ · Σ w² to the loss for this parameter: a part of the model, not of the optimiser.
  public var penalty = 0.0
  /// What it is for.
  public var role: Role

  /// A parameter that starts as `value`.
  public init(
    _ value: Tensor, layout: TensorLayout, rule: UpdateRule = .plain, decays: Bool = true,
    rateFactor: Double = 1, role: Role = .trained
  ) {
    self.value = value
    self.layout = layout
    self.rule = rule
    self.decays = decays
    self.rateFactor = rateFactor
    self.role = role
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
