import Layers
import Tensors

extension Defined {
  /// One derivative of Σ gradient · reference, by central differences in double precision.
  ///
  /// With steps of 1e-6 on values near 1 the error is about 1e-9 where the function is smooth; bilinear sampling is
  /// smooth between the pixels only, so the step must be smaller than the distance to the next one. It costs two
  /// reference passes.
  ///
  /// - Parameters:
  ///   - arrays: the input, then the parameters.
  ///   - array: which of them the derivative is to.
  ///   - index: the position in it.
  package func finiteDifference(
    _ arrays: [Tensor64], _ gradient: Tensor64, array: Int, index: Int, step: Double = 1e-6
  ) -> Double {
    func loss(_ change: Double) -> Double {
      var changed = arrays
      changed[array].values[index] += change
      let output = reference(changed[0], Array(changed.dropFirst()), training: true)
      return zip(output.values, gradient.values).reduce(0) { $0 + $1.0 * $1.1 }
    }
    return (loss(step) - loss(-step)) / (2 * step)
  }
}
