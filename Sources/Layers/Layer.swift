import Tensors

/// How a pass runs.
public struct Context: Sendable {
  /// Whether layers keep what their backward pass needs, and normalise by the batch.
  public var training: Bool
  /// The threads that one layer may use. No result depends on it.
  public var threads: Int
  /// Whether nobody asks for the gradient to the input, as of a network's first layer: what a backward pass returns
  /// is then undefined.
  public var skipsInputGradient = false
  /// The training's step, on which alone random layers depend beside their seeds.
  public var step = 0
  /// Whether layers keep what they make of their weights, such as packed ones, for the next pass.
  public var keepsPreparedWeights = true
  /// Where algorithms are chosen by measurement, in inference only; nil for the fixed rule.
  public var tuning: AlgorithmTuning?
  /// Where the time of each layer is noted, in inference only.
  public var profile: LayerProfile?
  /// Who sees the outputs of layers and their gradients, in training only.
  public var observer: Observer?
  /// What batch normalisation does in training.
  public var normalization = Normalization.batch
  /// What layers that decide note their decisions in, or take them from; nil where each pass decides for itself.
  public var decisions: Decisions?

  /// What batch normalisation does in training: studies of a network at its start may take it out.
  public enum Normalization: Sendable {
    /// It normalises by the batch, whose statistics depend on every pixel.
    case batch
    /// It normalises by the batch, whose statistics are constants to the backward pass.
    case constant
    /// Nothing: its output is its input.
    case none
  }

  /// A context for training or for inference.
  public init(
    training: Bool, threads: Int, tuning: AlgorithmTuning? = nil, profile: LayerProfile? = nil
  ) {
    self.training = training
    self.threads = threads
    self.tuning = tuning
    self.profile = profile
  }
}

extension Context {
  /// The same where somebody asks for the gradient to the input.
  public var withInputGradient: Context {
    var context = self
    context.skipsInputGradient = false
    return context
  }
}

/// The passes of a layer.
public enum Pass: String, Sendable, CaseIterable, Codable {
  /// The output from the input.
  case forward
  /// The gradient to the input.
  case inputGradient
  /// The gradient to the weights.
  case weightGradient
}

/// A differentiable function of a batch of feature maps (NHWC), with parameters.
///
/// A forward pass in training keeps exactly what the next backward pass needs; that pass uses it up.
public protocol Layer: AnyObject {
  /// The shape of the output, or an error that says why this input cannot be taken.
  func outputShape(for input: FeatureShape) throws -> FeatureShape

  /// What a pass over this input costs, with the layer's parameters in each; the input must have passed `outputShape`.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost

  /// The output for an input that has passed `outputShape`.
  func forward(_ input: Tensor, _ context: Context) -> Tensor

  /// The output in inference, with what follows the layer done while its output is stored, where it can be.
  func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor

  /// Which algorithm computes a pass over this input, or nil where there is no choice.
  func algorithm(for input: FeatureShape, _ pass: Pass, _ context: Context) -> String?

  /// The gradient to the input; sets the parameters' gradients.
  ///
  /// - Parameter gradient: the gradient to the output of the last forward pass in training; whoever needs it no longer
  ///   gives its memory away with it.
  func backward(_ gradient: consuming Tensor, _ context: Context) -> Tensor

  /// The gradient to the input plus `summand`, which has the input's shape: another branch's gradient.
  func backward(_ gradient: consuming Tensor, adding summand: Tensor, _ context: Context) -> Tensor

  /// The output by the plain definition, in double precision: loops that can be read in a minute, and the oracle of
  /// everything fast.
  ///
  /// - Parameters:
  ///   - input: NHWC.
  ///   - parameters: the values of `parameters`, in that order.
  ///   - training: whether normalisation is by the batch, not by running statistics.
  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64

  /// The parameters that are this layer's own, named as in PyTorch.
  var ownParameters: [NamedParameter] { get }

  /// Arrays that belong to the state but are not trained: running statistics.
  var ownBuffers: [NamedParameter] { get }

  /// The layers that this one consists of, in the order of their names in files.
  ///
  /// A layer under the empty name leaves no trace: what is inside it is named as if it were one level up.
  var children: [(name: String, layer: any Layer)] { get }

  /// A row for this layer, or for each of those that it consists of, in the order in which they run.
  func summaries(_ name: String, for input: FeatureShape) throws -> [LayerSummary]

  /// What PyTorch calls this kind of layer.
  var printedName: String { get }
  /// What PyTorch prints in the layer's parentheses.
  var printedArguments: String { get }
  /// The layers that PyTorch prints inside it, in its order.
  var printedChildren: [(name: String, layer: any Layer)] { get }
}

extension Layer {
  /// None by default.
  public var ownParameters: [NamedParameter] { [] }
  /// None by default.
  public var ownBuffers: [NamedParameter] { [] }
  /// None by default.
  public var children: [(name: String, layer: any Layer)] { [] }

  /// What a step of training costs: a forward and a backward pass, and the parameters once.
  public func trainingCost(for input: FeatureShape) throws -> Cost {
    let forward = try cost(for: input, pass: .forward)
    var cost = try forward + self.cost(for: input, pass: .backward)
    cost.parameters = forward.parameters
    return cost
  }

  /// The forward pass, then what follows it.
  public func infer(_ input: Tensor, _ epilogue: Epilogue, _ context: Context) -> Tensor {
    epilogue.applied(to: forward(input, context), context)
  }

  /// The backward pass, then the sum.
  public func backward(_ gradient: consuming Tensor, adding summand: Tensor, _ context: Context) -> Tensor {
    var result = backward(gradient, context)
    result.add(summand, threads: context.threads)
    return result
  }

  /// None by default.
  public func algorithm(for input: FeatureShape, _ pass: Pass, _ context: Context) -> String? { nil }

  /// All parameters, those of the children included, under their dotted names.
  public var parameters: [NamedParameter] { collect(\.ownParameters) }

  /// All buffers, those of the children included, under their dotted names.
  public var buffers: [NamedParameter] { collect(\.ownBuffers) }

  /// The number of values that training changes.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.parameter.value.count } }

  /// The values of all parameters, cut into those of each child. For layers that have none of their own.
  public func byChild(_ values: [Tensor64]) -> [[Tensor64]] {
    var rest = values[...]
    return children.map { child in
      let count = child.layer.parameters.count
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
  }

  private func collect(_ own: (any Layer) -> [NamedParameter]) -> [NamedParameter] {
    own(self)
      + children.flatMap { child in
        child.layer.collect(own).map { NamedParameter(dotted(child.name, $0.name), $0.parameter) }
      }
  }
}

/// A layer and its name in the layer that it is a part of.
public typealias NamedLayer = (name: String, layer: any Layer)

/// Two parts of a path of layers' names, with a dot between them unless one is empty.
func dotted(_ prefix: String, _ name: String) -> String {
  prefix.isEmpty ? name : name.isEmpty ? prefix : "\(prefix).\(name)"
}

/// The rows of a part of a layer: one without a name that is no layer of its own, such as a ReLU, by its kind.
func summaries(_ prefix: String, _ part: NamedLayer, for input: FeatureShape) throws -> [LayerSummary] {
  let isFunction = part.name.isEmpty && part.layer.isFunction
  let name = isFunction ? part.layer.printedName.lowercased() : part.name
  return try part.layer.summaries(dotted(prefix, name), for: input)
}

extension Layer {
  /// Whether nothing in it has a name in files.
  var isFunction: Bool { children.isEmpty && ownParameters.isEmpty }
}
