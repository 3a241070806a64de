import Compute
import Layers
import Tensors

/// What is done to the sums of a convolution before they are stored: `relu(sum + bias + residual)`.
struct Finish {
  var bias: Tensor?
  var residual: Tensor?
  var relu = false

  /// What an epilogue leaves to the stores, when its normalisation's scale is in the filter.
  init(_ epilogue: Epilogue, _ filter: Filter, bias: Tensor?) {
    self.init(bias: filter.bias(bias), residual: epilogue.residual, relu: epilogue.relu)
  }

  init(bias: Tensor? = nil, residual: Tensor? = nil, relu: Bool = false) {
    self.bias = bias
    self.residual = residual
    self.relu = relu
  }

  /// For the engine: pointers, valid during the call.
  func withPointers(output: UnsafeMutablePointer<Float>, _ body: (StoreOptions) -> Void) {
    withOptionalPointer(bias) { bias in
      withOptionalPointer(residual) { residual in
        body(StoreOptions(bias: bias, residual: residual, output: output, relu: relu))
      }
    }
  }

  /// The same by passes of its own.
  func applied(to sums: Tensor, threads: Int) -> Tensor {
    var y = sums
    if let bias {
      let outputs = bias.count, rows = y.count / outputs
      y.withMutablePointer { y in
        Normalisation.affine(
          y, y, .init(scale: Array(repeating: 1, count: outputs), shift: bias.values), rows: rows,
          threads: threads)
      }
    }
    return Epilogue(residual: residual, relu: relu).applied(
      to: y, Context(training: false, threads: threads))
  }
}
