import Compute
import Tensors

/// Packed weights, packed again only after the parameter has changed.
public final class PackCache {
  private var packed: PackedWeights?
  private var version = -1

  /// An empty cache.
  public init() {}

  /// The packed weights of a parameter's present value.
  public func packed(_ parameter: Parameter, _ pack: (Tensor) -> PackedWeights) -> PackedWeights {
    if let packed, version == parameter.version { return packed }
    let result = pack(parameter.value)
    packed = result
    version = parameter.version
    return result
  }
}
