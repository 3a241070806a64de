import Compute
import Layers
import Tensors

/// What is done to the sums of a convolution before they are stored: `relu(sum + bias + residual)`.
public struct Finish {
  /// One value for each output channel.
  public var bias: Tensor?
  /// What is added, in the output's shape.
  public var residual: Tensor?
  /// Whether max(·, 0) is taken at the end.
  public var relu = false

  /// What an epilogue leaves to the stores, when its normalisation's scale is in the filter.
  init(_ epilogue: Epilogue, _ filter: Filter, bias: Tensor?) {
    self.init(bias: filter.bias(bias), residual: epilogue.residual, relu: epilogue.relu)
  }

  /// What is done to the sums.
  public init(bias: Tensor? = nil, residual: Tensor? = nil, relu: Bool = false) {
    self.bias = bias
    self.residual = residual
    self.relu = relu
  }

  /// For the engine: pointers, valid during the call.
  public func withPointers(output: UnsafeMutablePointer<Float>, _ body: (StoreOptions) -> Void) {
    withOptionalPointer(bias) { bias in
      withOptionalPointer(residual) { residual in
        body(StoreOptions(bias: bias, residual: residual, output: output, relu: relu))
      }
    }
  }

  /// Unfused: applies each part in a separate pass over the output.
  public func applied(to sums: Tensor, threads: Int) -> Tensor {
    var y = sums
    if let bias {
      let outputs = bias.count, rows = y.count / outputs
      y.withMutablePointer { y in
        NormalizationPasses.affine(
          y, y, .init(scale: Array(repeating: 1, count: outputs), shift: bias.values), rows: rows,
          threads: threads)
      }
    }
    return Epilogue(residual: residual, relu: relu).applied(
      to: y, Context(training: false, threads: threads))
  }
}
