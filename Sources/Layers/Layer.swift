import Tensors

/// A differentiable function of a batch of feature maps (NHWC), with parameters.
///
/// A forward pass in training keeps exactly what the next backward pass needs; that pass uses it up (``Saved``).
///
/// What only some layers have is a separate protocol: a definition in double precision (``Defined``), a choice of
/// algorithm (``ChoosesAlgorithm``), PyTorch's printed form (``TorchPrinted``), nodes in ONNX (``ONNXExported``),
/// decisions that can be held (``HoldsDecisions``). A layer that runs others by name is a ``Container``; one that
/// forwards everything to another layer, except what it changes, is a ``Wrapper``.
public protocol Layer: AnyObject {
  /// The shape of the output.
  ///
  /// - Throws: an error that says why this input does not fit.
  func outputShape(for input: FeatureShape) throws -> FeatureShape

  /// The cost of a pass over this input, which must have passed `outputShape`; each pass counts the layer's
  /// parameters.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost

  /// The output for an input that has passed `outputShape`.
  func forward(_ input: Tensor, _ context: Context) -> Tensor

  /// The output in inference, with the epilogue applied while the output is stored, if possible; by default it is
  /// applied afterwards.
  func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor

  /// Sets the parameters' gradients and returns the gradient to the input, if it is needed.
  ///
  /// The given gradient is that to the output of the last forward pass in training. A caller that no longer needs it
  /// should `consume` it, so that its memory is reused. `input` says what becomes of the gradient to the input; most
  /// layers return ``InputGradient/total(_:threads:)`` of the gradient that they have computed.
  func backward(_ gradient: consuming Tensor, input: InputGradient, _ context: Context) -> Tensor

  /// The parameters and buffers that are this layer's own, each with its role, named as in PyTorch; none by default.
  var ownState: [NamedParameter] { get }

  /// The layers that this one consists of, in the order of their names in files; none by default.
  ///
  /// A layer with an empty name leaves no trace: the layers inside it are named as if they were one level up.
  var children: [NamedLayer] { get }
}

/// A layer and its name in the layer that it is a part of.
public typealias NamedLayer = (name: String, layer: any Layer)

extension Layer {
  /// None by default.
  public var ownState: [NamedParameter] { [] }
  /// None by default.
  public var children: [NamedLayer] { [] }

  /// The forward pass, then what follows it.
  public func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    epilogue.applied(to: forward(input, context), context)
  }

  /// The gradient to the input; sets the parameters' gradients.
  public func backward(_ gradient: consuming Tensor, _ context: Context) -> Tensor {
    backward(gradient, input: .needed, context)
  }

  /// The cost of a training step: a forward and a backward pass, and the parameters once.
  public func trainingCost(for input: FeatureShape) throws -> Cost {
    let forward = try cost(for: input, pass: .forward)
    var cost = try forward + self.cost(for: input, pass: .backward)
    cost.parameters = forward.parameters
    return cost
  }

  /// The layer and all layers inside it.
  package var tree: [any Layer] { [self] + children.flatMap(\.layer.tree) }

  /// The batch normalisations among them.
  package var normalizations: [BatchNormalization] {
    tree.compactMap {
      guard case .normalization(let normalization) = ($0 as? any EpiloguePart)?.part else { return nil }
      return normalization
    }
  }

  /// All parameters, those of the children included, under their dotted names.
  public var parameters: [NamedParameter] { everything.filter { $0.parameter.role.isTrained } }

  /// Arrays of the state that are not trained, such as running statistics, those of the children included.
  public var buffers: [NamedParameter] { everything.filter { !$0.parameter.role.isTrained } }

  /// The number of values that training changes.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.parameter.value.count } }

  /// The values of all parameters, split by child, for layers without parameters of their own.
  public func byChild(_ values: [Tensor64]) -> [[Tensor64]] {
    var rest = values[...]
    return children.map { child in
      let count = child.layer.parameters.count
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
  }

  /// The state in the order of the layers.
  private var everything: [NamedParameter] {
    ownState
      + children.flatMap { child in
        child.layer.everything.map { NamedParameter(dotted(child.name, $0.name), $0.parameter) }
      }
  }
}

/// Two parts of a path of layers' names, with a dot between them unless one is empty.
func dotted(_ prefix: String, _ name: String) -> String {
  prefix.isEmpty ? name : name.isEmpty ? prefix : "\(prefix).\(name)"
}
