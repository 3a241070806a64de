import Tensors

/// A layer with a definition in double precision: simple loops, with which every fast path is compared.
public protocol Defined: Layer {
  /// The output by the definition.
  ///
  /// - Parameters:
  ///   - input: NHWC.
  ///   - parameters: the values of `parameters`, in that order.
  ///   - training: whether normalisation is by the batch, not by running statistics.
  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64

  /// The gradients by the definition, or nil (the default) if they are the derivatives of `reference`, which finite
  /// differences can find.
  func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients?

  /// Whether the gradients deliberately differ from the derivatives of `reference`, as AdderNet's do; by default,
  /// whether those of a layer inside do.
  var hasOwnGradients: Bool { get }

  /// Whether outputs are sums of products alone, which single precision holds exactly for small whole numbers; by default,
  /// whether those of all layers inside are.
  var isExactOnIntegers: Bool { get }
}

/// Gradients in double precision.
public struct ReferenceGradients: Sendable {
  /// The gradient to the input.
  public var input: Tensor64
  /// The gradients to the parameters, in their order.
  public var parameters: [Tensor64]

  /// Gradients to an input and to parameters.
  public init(input: Tensor64, parameters: [Tensor64]) {
    self.input = input
    self.parameters = parameters
  }
}

extension Defined {
  public func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? { nil }

  public var hasOwnGradients: Bool {
    children.contains { ($0.layer as? any Defined)?.hasOwnGradients ?? false }
  }

  public var isExactOnIntegers: Bool {
    children.allSatisfy { ($0.layer as? any Defined)?.isExactOnIntegers ?? false }
  }
}

extension Layer {
  /// The output by the definition of a layer inside, which must have one: `firstWithoutDefinition` says so.
  public func definition(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    guard let defined = self as? any Defined else { preconditionFailure("\(typeName) has no definition") }
    return defined.reference(input, parameters, training: training)
  }

  /// The first of this layer and all inside it that has no definition in double precision; nil if all have one.
  public var firstWithoutDefinition: (any Layer)? {
    self is any Defined ? children.lazy.compactMap(\.layer.firstWithoutDefinition).first : self
  }
}
