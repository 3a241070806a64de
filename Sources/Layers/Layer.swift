import Tensors

/// How a pass runs.
public struct Context: Sendable {
  /// Whether layers keep what their backward pass needs, and normalise by the batch.
  public var training: Bool
  /// The threads that one layer may use. No result depends on it.
  public var threads: Int

  /// A context for training or for inference.
  public init(training: Bool, threads: Int) {
    self.training = training
    self.threads = threads
  }
}

/// A differentiable function of a batch of feature maps (NHWC), with parameters.
///
/// A forward pass in training keeps exactly what the next backward pass needs; that pass uses it up.
public protocol Layer: AnyObject {
  /// The shape of the output, or an error that says why this input cannot be taken.
  func outputShape(for input: FeatureShape) throws -> FeatureShape

  /// What a forward pass over this input costs; the input must have passed `outputShape`.
  func cost(for input: FeatureShape) throws -> Cost

  /// The output for an input that has passed `outputShape`.
  func forward(_ input: Tensor, _ context: Context) -> Tensor

  /// The gradient to the input; sets the parameters' gradients.
  ///
  /// - Parameter gradient: the gradient to the output of the last forward pass in training.
  func backward(_ gradient: Tensor, _ context: Context) -> Tensor

  /// The parameters that are this layer's own, named as in PyTorch.
  var ownParameters: [NamedParameter] { get }

  /// Arrays that belong to the state but are not trained: running statistics.
  var ownBuffers: [NamedParameter] { get }

  /// The layers that this one consists of, in the order of their names in files.
  var children: [(name: String, layer: any Layer)] { get }
}

extension Layer {
  /// None by default.
  public var ownParameters: [NamedParameter] { [] }
  /// None by default.
  public var ownBuffers: [NamedParameter] { [] }
  /// None by default.
  public var children: [(name: String, layer: any Layer)] { [] }

  /// All parameters, those of the children included, under their dotted names.
  public var parameters: [NamedParameter] { collect(\.ownParameters) }

  /// All buffers, those of the children included, under their dotted names.
  public var buffers: [NamedParameter] { collect(\.ownBuffers) }

  /// The number of values that training changes.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.parameter.value.count } }

  private func collect(_ own: (any Layer) -> [NamedParameter]) -> [NamedParameter] {
    own(self)
      + children.flatMap { child in
        child.layer.collect(own).map { NamedParameter("\(child.name).\($0.name)", $0.parameter) }
      }
  }
}
