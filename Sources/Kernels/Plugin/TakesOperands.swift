import Layers
import Tensors

/// A kernel's layer that can use given arrays, as `experiment conv` needs.
public protocol TakesOperands: KernelLayer {
  /// Uses given arrays instead of its own; refuses those that it cannot use. By default it takes a weight and a bias
  /// if the layer has parameters of these names.
  func bind(_ operands: Operands) throws

  /// The gradients to the bound operands (all but the input) after a backward pass; by default the weight's and the bias's.
  var operandGradients: Operands { get }
}

/// The arrays, besides its input, that an operator can be given: what `experiment conv` reads from files.
public struct Operands: Sendable {
  /// HWIO.
  public var weight: Tensor?
  /// One value for each output channel.
  public var bias: Tensor?
  /// NHWC: for each offset group and tap the vertical, then the horizontal offset, in pixels.
  public var offset: Tensor?
  /// NHWC: for each offset group and tap a factor.
  public var mask: Tensor?

  /// The given arrays.
  public init(weight: Tensor? = nil, bias: Tensor? = nil, offset: Tensor? = nil, mask: Tensor? = nil) {
    self.weight = weight
    self.bias = bias
    self.offset = offset
    self.mask = mask
  }
}

extension Operands {
  /// Refuses offsets and masks, for operators that have none.
  public func refusePositions() throws {
    guard offset == nil else { throw WorkbenchError("This operator takes no offset; leave out --offset.") }
    guard mask == nil else { throw WorkbenchError("This operator takes no mask; leave out --mask.") }
  }

  /// Takes learned positions from an offset that is the same for all pixels, `[1, 1, 1, positions]`.
  public func bindPositions(to positions: Parameter) throws {
    guard mask == nil else { throw WorkbenchError("This operator takes no mask; leave out --mask.") }
    guard let offset else {
      throw WorkbenchError("This operator needs its positions; give them with --offset.")
    }
    guard offset.shape == [1, 1, 1, positions.value.count] else {
      throw WorkbenchError(
        "The offset has the shape \(offset.toFileOrder(.features).shape); this operator has the same positions for all pixels and needs [1, \(positions.value.count), 1, 1]."
      )
    }
    positions.value = offset.reshaped(positions.value.shape)
  }
}

extension Parameter {
  /// The gradient to learned positions, in the shape that `bindPositions` takes.
  public var positionGradient: Tensor? { gradient.map { $0.reshaped([1, 1, 1, $0.count]) } }
}

extension TakesOperands {
  public func bind(_ operands: Operands) throws {
    try operands.refusePositions()
    try bindWeights(operands)
  }

  public var operandGradients: Operands {
    Operands(weight: ownParameter("weight")?.gradient, bias: ownParameter("bias")?.gradient)
  }

  /// Takes the weight and the bias, and leaves the rest to the caller.
  public func bindWeights(_ operands: Operands) throws {
    for (name, value) in [("weight", operands.weight), ("bias", operands.bias)] {
      guard let parameter = ownParameter(name) else {
        guard value != nil else { continue }
        let inner = parameters.map(\.name).filter { $0.hasSuffix(".\(name)") }
        guard inner.isEmpty else {
          throw WorkbenchError(
            "This operator is composed of several layers, with a \(name) each (\(inner.prefix(3).joined(separator: ", "))\(inner.count > 3 ? ", …" : "")); give them by name with --weights."
          )
        }
        throw WorkbenchError("This operator has no \(name); leave out --\(name).")
      }
      guard let value else { throw WorkbenchError("This operator needs a \(name); give it with --\(name).") }
      guard value.shape == parameter.value.shape else {
        throw WorkbenchError(
          "The \(name) has the shape \(parameter.layout.fileShape(value.shape)); this operator needs \(parameter.layout.fileShape(parameter.value.shape))."
        )
      }
      parameter.value = value
    }
  }

  private func ownParameter(_ name: String) -> Parameter? { parameters.first { $0.name == name }?.parameter }
}
