import Compute
import Tensors

/// The weights of a pass: a parameter's value, in inference multiplied by the scale of the normalisation after it.
public struct Filter {
  /// The parameter.
  public let parameter: Parameter
  /// What follows the layer: its scale is part of the weights, its shift part of the bias.
  public let normalization: BatchNormalization?

  /// The weights of a parameter.
  public init(_ parameter: Parameter, normalization: BatchNormalization? = nil) {
    self.parameter = parameter
    self.normalization = normalization
  }

  /// The weights, HWIO: the last axis is the outputs'.
  public var value: Tensor {
    guard let normalization else { return parameter.value }
    let scale = normalization.affine.scale, outputs = scale.count
    var scaled = parameter.value
    let count = scaled.count
    scaled.withMutablePointer { w in
      for first in stride(from: 0, to: count, by: outputs) {
        for output in 0..<outputs { w[first + output] *= scale[output] }
      }
    }
    return scaled
  }

  /// A bias with the normalisation's scale and shift.
  public func bias(_ bias: Tensor?) -> Tensor? {
    guard let normalization else { return bias }
    let (scale, shift) = normalization.affine
    return Tensor(shift.indices.map { (bias?[$0] ?? 0) * scale[$0] + shift[$0] }, [shift.count])
  }

  /// Equal for filters with equal values, as long as both live.
  struct Key: Equatable {
    let parameter: ObjectIdentifier, normalization: ObjectIdentifier?
    let version: Int, normalizationVersion: Int
  }
  var key: Key {
    Key(
      parameter: ObjectIdentifier(parameter), normalization: normalization.map(ObjectIdentifier.init),
      version: parameter.version, normalizationVersion: normalization?.version ?? 0)
  }
}

/// Something derived from a filter, such as packed weights, that is made again only after the filter has changed.
public final class FilterCache<Value> {
  private var known: (key: Filter.Key, variant: Int, value: Value)?

  /// An empty cache.
  public init() {}

  /// The result of `make` for the filter's present value and `variant`; kept if the context says so.
  public func value(
    _ filter: Filter, _ context: Context, variant: Int = 0, _ make: (Tensor) -> Value
  ) -> Value {
    if let known, known.key == filter.key, known.variant == variant { return known.value }
    // The old one is released first, so that both need not fit into memory.
    known = nil
    let value = make(filter.value)
    if context.keepsPreparedWeights { known = (filter.key, variant, value) }
    return value
  }
}
