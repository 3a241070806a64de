import Compute
import Tensors

/// A layer that can leave its last step, a normalisation, to be applied together with what follows.
protocol LeavesLastStep: Layer {
  /// The output in training, without that step.
  func forwardUnfinished(_ input: Tensor, _ context: Context) -> Unfinished
}

/// A layer's output before its last step, a normalisation, which is applied together with what follows.
struct Unfinished {
  var values: Tensor
  /// The remaining step; nil if there is none.
  var function: NormalizationPasses.Affine?

  /// `relu(self + other)` in one pass.
  consuming func rectifiedSum(with other: Unfinished, _ context: Context) -> Tensor {
    guard let function else {
      guard other.function == nil else { return other.rectifiedSum(with: self, context) }
      var result = values
      result.addAndRectify(other.values, threads: context.threads)
      return result
    }
    var result = Tensor(uninitialized: values.shape)
    withPointers(values, other.values) { x, residual in
      result.withMutablePointer {
        NormalizationPasses.rectifiedSum(
          x, function, residual, other.function, $0, rows: values.count / function.scale.count,
          threads: context.threads)
      }
    }
    return result
  }
}
