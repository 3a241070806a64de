import Layers
import Tensors

extension KernelLayer {
  /// The derivatives of Σ gradient · reference, by central differences in double precision.
  ///
  /// With steps of 1e-5 on values near 1 the error is about 1e-10 relative where the function is smooth. It
  /// costs two reference passes for every value: for small shapes only.
  public func finiteDifferences(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64, step: Double = 1e-5
  ) -> ReferenceGradients {
    func loss(_ arrays: [Tensor64]) -> Double {
      let output = reference(arrays[0], Array(arrays.dropFirst()))
      return zip(output.values, gradient.values).reduce(0) { $0 + $1.0 * $1.1 }
    }
    var arrays = [input] + parameters
    var results = arrays.map { Tensor64(repeating: 0, $0.shape) }
    for array in arrays.indices {
      for index in arrays[array].values.indices {
        let value = arrays[array].values[index]
        arrays[array].values[index] = value + step
        let above = loss(arrays)
        arrays[array].values[index] = value - step
        let below = loss(arrays)
        arrays[array].values[index] = value
        results[array].values[index] = (above - below) / (2 * step)
      }
    }
    return ReferenceGradients(input: results[0], parameters: Array(results.dropFirst()))
  }
}
