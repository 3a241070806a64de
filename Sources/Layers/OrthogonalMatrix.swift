import Tensors

/// A matrix with orthonormal outputs (the last axis), or orthonormal inputs if there are fewer of them, times a gain;
/// drawn uniformly from all such matrices (Mezzadri, 2006, arXiv:math-ph/0609050).
///
/// Normal vectors are made orthonormal one after the other (Gram and Schmidt, each twice, in double precision).
func orthogonalMatrix(_ shape: [Int], gain: Double, using random: inout Random) -> Tensor {
  let outputs = shape[shape.count - 1], inputs = shape.dropLast().reduce(1, *)
  let count = min(inputs, outputs), length = max(inputs, outputs)
  var vectors: [[Double]] = []
  while vectors.count < count {
    var vector = (0..<length).map { _ in random.normal() }
    // The second time removes what rounding leaves of the earlier vectors.
    for _ in 0..<2 {
      for other in vectors {
        let share = dot(vector, other)
        for index in 0..<length { vector[index] -= share * other[index] }
      }
    }
    let norm = dot(vector, vector).squareRoot()
    vectors.append(vector.map { $0 / norm })
  }
  var result = Tensor(uninitialized: shape)
  for input in 0..<inputs {
    for output in 0..<outputs {
      let value = inputs >= outputs ? vectors[output][input] : vectors[input][output]
      result[input * outputs + output] = Float(gain * value)
    }
  }
  return result
}

/// The sum of products.
private func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices { sum += a[index] * b[index] }
  return sum
}
