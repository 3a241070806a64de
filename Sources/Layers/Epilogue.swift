import Compute
import Tensors

/// What follows a layer in inference: `relu(normalise(y) + residual)`, each part where there is one.
///
/// Layers that can do it while they store their output save a pass over memory for each part.
public struct Epilogue {
  /// The normalisation of the output.
  public var normalization: BatchNormalization?
  /// What is added to it, in the output's shape.
  public var residual: Tensor?
  /// Whether max(·, 0) is taken at the end.
  public var relu = false

  /// Nothing follows.
  public static var none: Epilogue { Epilogue() }

  /// What follows a layer.
  public init(normalization: BatchNormalization? = nil, residual: Tensor? = nil, relu: Bool = false) {
    self.normalization = normalization
    self.residual = residual
    self.relu = relu
  }

  /// Unfused: applies each part in a separate pass over the output.
  public func applied(to output: Tensor, _ context: Context) -> Tensor {
    var y = normalization?.forward(output, context) ?? output
    if residual != nil || relu {
      let count = y.count
      y.withMutablePointer { y in
        withOptionalPointer(residual) {
          Elementwise.finish(y, residual: $0, relu: relu, count: count, threads: context.threads)
        }
      }
    }
    return y
  }
}

/// A layer that the one before it can do while it stores its output.
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
  }
}
