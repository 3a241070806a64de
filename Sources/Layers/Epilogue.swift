import Compute
import Tensors

/// The operations that follow a layer, or the sums of a convolution: `min(relu(normalise(y + bias) + residual), most)`.
/// Each part is optional.
///
/// A layer that applies it while it stores its output saves a pass over memory for each part.
public struct Epilogue {
  /// One value for each channel. It belongs to the layer itself, so callers of a layer leave it out.
  public var bias: Tensor?
  /// The normalisation of the output.
  public var normalization: BatchNormalization?
  /// What is added to it, in the output's shape.
  public var residual: Tensor?
  /// Whether max(·, 0) is taken at the end.
  public var relu = false
  /// The largest output after that: 6 for ReLU6.
  public var most = Float.infinity

  /// Nothing follows.
  public static var none: Epilogue { Epilogue() }

  /// Whether nothing follows.
  var isNone: Bool { bias == nil && normalization == nil && residual == nil && !relu }

  /// What follows.
  public init(
    bias: Tensor? = nil, normalization: BatchNormalization? = nil, residual: Tensor? = nil,
    relu: Bool = false, most: Float = .infinity
  ) {
    self.bias = bias
    self.normalization = normalization
    self.residual = residual
    self.relu = relu
    self.most = most
  }

  /// Unfused: applies each part in a separate pass over the output.
  public func applied(to output: Tensor, _ context: Context) -> Tensor {
    var y = output
    if let bias {
      let channels = bias.count, rows = y.count / channels
      y.withMutablePointer { y in
        NormalizationPasses.affine(
          y, y, .init(scale: Array(repeating: 1, count: channels), shift: bias.values), rows: rows,
          threads: context.threads)
      }
    }
    if let normalization { y = normalization.forward(y, context) }
    if residual != nil || relu {
      let count = y.count
      y.withMutablePointer { y in
        withOptionalPointer(residual) {
          Elementwise.applyEpilogue(
            y, residual: $0, relu: relu, most: most, count: count, threads: context.threads)
        }
      }
    }
    return y
  }

  /// The rest of it when its normalisation's scale is in the filter: the shift is added to the bias.
  public func folded(into filter: Filter, bias: Tensor?) -> Epilogue {
    Epilogue(bias: filter.bias(bias), residual: residual, relu: relu, most: most)
  }

  /// For the engine: pointers, valid during the call. A normalisation must be folded into the filter.
  public func withPointers(output: UnsafeMutablePointer<Float>, _ body: (EpiloguePointers) -> Void) {
    withOptionalPointer(bias) { bias in
      withOptionalPointer(residual) { residual in
        body(EpiloguePointers(bias: bias, residual: residual, output: output, relu: relu, most: most))
      }
    }
  }
}

/// A layer that the layer before it can apply while it stores its output.
public protocol EpiloguePart: Layer {
  /// Which part of an epilogue it is.
  var part: Epilogue.Part { get }
}

extension Epilogue {
  /// A layer as a part of an epilogue.
  public enum Part {
    /// A batch normalisation.
    case normalization(BatchNormalization)
    /// A ReLU.
    case rectifier(ReLU)
    /// A ReLU6. In training it is a layer of its own.
    case limiter(ReLU6)
  }
}
