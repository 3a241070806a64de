import Layers
import Tensors

/// A convolution operator as a plug-in: what it is called, what it means, and how to make its layer.
///
/// To add one, write a type that conforms to this protocol and put it into the list that a `KernelRegistry` is
/// made from: the command line, the tests, the cost tables and the benchmarks then all know it.
public protocol Kernel: Sendable {
  /// The name on the command line.
  var name: String { get }
  /// One line: what it does.
  var summary: String { get }
  /// Whose relative it is, for lists; `.other` by default.
  var family: KernelFamily { get }
  /// What an output is, as a formula.
  var formula: String { get }
  /// Where it comes from.
  var paper: String { get }
  /// The options that may follow the name, as in `dilated:dilation=4`. There is no default: a list of another type would
  /// be passed over for it in silence.
  var options: [any AnyKernelOption] { get }
  /// The algorithms that can compute it, the reference last.
  var algorithms: [String] { get }

  /// What somebody who chose these options should know, one sentence each: what they save, or what they break.
  func remarks(_ options: KernelOptions) -> [String]

  /// The geometry that this kernel has where a network has a k×k convolution of geometry `place`.
  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry

  /// The site of the bare operator on arrays from outside, as `experiment conv` applies it.
  func site(for request: OperatorRequest) throws -> KernelSite

  /// A new layer, or an error that says why there is none for this site.
  func makeLayer(_ site: KernelSite) throws -> any KernelLayer
}

extension Kernel {
  /// Those that multiply on a regular grid.
  public var algorithms: [String] { Algorithms.names() }
  public var family: KernelFamily { .other }

  /// None by default.
  public func remarks(_ options: KernelOptions) -> [String] { [] }

  /// Spreads the taps and changes the window where the options ask for it; is otherwise the place's own geometry.
  public func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    try place.dilated(by: options[KernelOptions.dilation]).windowed(by: options)
  }

  /// The window and the output's channels are the weight's; padding is taken as it is given.
  public func site(for request: OperatorRequest) throws -> KernelSite {
    guard let weight = request.operands.weight else {
      throw WorkbenchError(
        "\(name) needs a weight; give it with --weight, or those of several layers by name with --weights.")
    }
    guard !request.options.isGiven(KernelOptions.window) else {
      throw WorkbenchError("A weight says its window itself; leave out the option window of \(name).")
    }
    return KernelSite(
      geometry: try ConvolutionGeometry(
        inputChannels: request.inputChannels, outputChannels: weight.shape[3],
        kernel: Pair(weight.shape[0], weight.shape[1]), stride: request.stride,
        padding: request.padding ?? Padding(Pair(0)), dilation: try request.tapDistance(of: name),
        groups: request.groups),
      options: request.options, bias: request.operands.bias != nil, algorithm: request.algorithm)
  }
}

/// Kernels that answer one question alike.
public enum KernelFamily: String, Sendable, CaseIterable {
  /// A fixed grid of taps, multiplied and added.
  case grid = "Grids"
  /// Learned positions.
  case positions = "Learned positions"
  /// Other arithmetic than products, or none.
  case arithmetic = "Moves and distances"
  /// Several small convolutions, one behind the other.
  case stages = "Stages in sequence"
  /// Several side by side.
  case branches = "Branches in parallel"
  /// Every pixel, or every channel, weighed by what the image holds.
  case attention = "Attention"
  /// Anything else.
  case other = "Others"
}

/// What `experiment conv` asks an operator for.
public struct OperatorRequest: Sendable {
  /// Channels of the input.
  public var inputChannels: Int
  /// The arrays beside the input.
  public var operands: Operands
  /// The kernel's options.
  public var options: KernelOptions
  /// Distance of windows.
  public var stride: Pair
  /// Zeros around the image, or nil for the operator's own default.
  public var padding: Padding?
  /// Distance of taps, or nil for the operator's own default.
  public var dilation: Pair?
  /// Groups of channels.
  public var groups: Int
  /// The algorithm, or nil for the fastest.
  public var algorithm: String?

  /// A request.
  public init(
    inputChannels: Int, operands: Operands, options: KernelOptions, stride: Pair = Pair(1),
    padding: Padding? = nil, dilation: Pair? = nil, groups: Int = 1, algorithm: String? = nil
  ) {
    self.inputChannels = inputChannels
    self.operands = operands
    self.options = options
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.algorithm = algorithm
  }

  /// The distance of taps: as asked for, or as the options have it; an error where both say something.
  public func tapDistance(of kernel: String) throws -> Pair {
    guard let dilation else { return options[KernelOptions.dilation] }
    guard !options.isGiven(KernelOptions.dilation) else {
      throw WorkbenchError("The dilation of \(kernel) is given twice; use the option or --dilation.")
    }
    return dilation
  }
}

/// What a kernel makes its layer from.
public struct KernelSite: Sendable {
  /// The geometry, exactly as the layer is to have it.
  public var geometry: ConvolutionGeometry
  /// The options, checked against the kernel's list.
  public var options: KernelOptions
  /// Whether a bias is added to the output.
  public var bias: Bool
  /// The algorithm that is to be used, or nil for the choice by shape.
  public var algorithm: String?
  /// Where initial weights come from.
  public var random: Random

  /// A site.
  public init(
    geometry: ConvolutionGeometry, options: KernelOptions = KernelOptions(), bias: Bool = false,
    algorithm: String? = nil, random: Random = Random(seed: 0)
  ) {
    self.geometry = geometry
    self.options = options
    self.bias = bias
    self.algorithm = algorithm == "auto" ? nil : algorithm
    self.random = random
  }
}

extension KernelSite {
  /// The algorithm, for layers outside the lists of algorithms: these have a direct way and the definition.
  public func directOrReference() throws -> String {
    let algorithm = algorithm ?? "direct"
    guard ["direct", "reference"].contains(algorithm) else {
      throw WorkbenchError(
        "There is no algorithm ‘\(algorithm)’ for this kernel; choose from direct, reference.")
    }
    return algorithm
  }
}

/// A layer that can take the place of a k×k convolution.
public protocol KernelLayer: Layer {
  /// The geometry of the whole layer.
  var geometry: ConvolutionGeometry { get }

  /// The algorithm that computes it.
  var algorithm: String { get }

  /// The output by the plain definition, in double precision, in training if that makes a difference.
  ///
  /// - Parameters:
  ///   - input: NHWC.
  ///   - parameters: the values of `parameters`, in that order.
  func reference(_ input: Tensor64, _ parameters: [Tensor64]) -> Tensor64

  /// The gradients by the plain definition, in double precision, or nil where they are the derivatives of
  /// `reference` and finite differences are to be used.
  func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients?

  /// Whether `referenceGradients` are, on purpose, not the derivatives of `reference`, as AdderNet's.
  var hasOwnGradients: Bool { get }

  /// Takes arrays from outside in place of its own; refuses those that it cannot use.
  func bind(_ operands: Operands) throws

  /// Whether outputs are sums of products alone, which single precision holds exactly for small whole numbers.
  var isExactOnIntegers: Bool { get }

  /// The gradients to the bound operands (all but the input) after a backward pass.
  var operandGradients: Operands { get }
}

extension NamedParameter {
  /// Whether it says where a kernel reads, not what it multiplies: learned or predicted offsets, in pixels.
  public var isPosition: Bool { name.split(separator: ".").contains("offset") }
}

/// Gradients in double precision.
public struct ReferenceGradients: Sendable {
  /// The gradient to the input.
  public var input: Tensor64
  /// The gradients to the parameters, in their order.
  public var parameters: [Tensor64]

  /// Gradients to an input and to parameters.
  public init(input: Tensor64, parameters: [Tensor64]) {
    self.input = input
    self.parameters = parameters
  }
}

/// The arrays beside its input that an operator can be given: what `experiment conv` reads from files.
public struct Operands: Sendable {
  /// HWIO.
  public var weight: Tensor?
  /// One value for each output channel.
  public var bias: Tensor?
  /// NHWC: for each offset group and tap the vertical, then the horizontal offset, in pixels.
  public var offset: Tensor?
  /// NHWC: for each offset group and tap a factor.
  public var mask: Tensor?

  /// The given arrays.
  public init(weight: Tensor? = nil, bias: Tensor? = nil, offset: Tensor? = nil, mask: Tensor? = nil) {
    self.weight = weight
    self.bias = bias
    self.offset = offset
    self.mask = mask
  }
}

extension Operands {
  /// Refuses offsets and masks, for operators that have none.
  public func refusePositions() throws {
    guard offset == nil else { throw WorkbenchError("This operator takes no offset; leave out --offset.") }
    guard mask == nil else { throw WorkbenchError("This operator takes no mask; leave out --mask.") }
  }

  /// Takes learned positions from an offset that is the same for all pixels, `[1, 1, 1, positions]`.
  public func bindPositions(to positions: Parameter) throws {
    guard mask == nil else { throw WorkbenchError("This operator takes no mask; leave out --mask.") }
    guard let offset else {
      throw WorkbenchError("This operator needs its positions; give them with --offset.")
    }
    guard offset.shape == [1, 1, 1, positions.value.count] else {
      throw WorkbenchError(
        "The offset has the shape \(offset.toFileOrder(.features).shape); this operator has the same at all pixels and needs [1, \(positions.value.count), 1, 1]."
      )
    }
    positions.value = offset.reshaped(positions.value.shape)
  }
}

extension Parameter {
  /// The gradient to learned positions, in the shape that `bindPositions` takes.
  public var positionGradient: Tensor? { gradient.map { $0.reshaped([1, 1, 1, $0.count]) } }
}

extension KernelLayer {
  /// The geometry's output.
  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try geometry.outputShape(for: input)
  }

  /// The same in training and in inference.
  public func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    reference(input, parameters)
  }

  /// True by default.
  public var isExactOnIntegers: Bool { true }

  /// False: the gradients are the reference's derivatives.
  public var hasOwnGradients: Bool { false }

  /// Nil: finite differences of `reference` are to be used.
  public func referenceGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Tensor64
  ) -> ReferenceGradients? { nil }

  /// Takes a weight and a bias where the layer has parameters of these names.
  public func bind(_ operands: Operands) throws {
    try operands.refusePositions()
    try bindWeights(operands)
  }

  /// The weight's and the bias's gradients.
  public var operandGradients: Operands {
    Operands(weight: ownParameter("weight")?.gradient, bias: ownParameter("bias")?.gradient)
  }

  /// Takes the weight and the bias, and leaves the rest to the caller.
  public func bindWeights(_ operands: Operands) throws {
    for (name, value) in [("weight", operands.weight), ("bias", operands.bias)] {
      guard let parameter = ownParameter(name) else {
        guard value != nil else { continue }
        let inner = parameters.map(\.name).filter { $0.hasSuffix(".\(name)") }
        guard inner.isEmpty else {
          throw WorkbenchError(
            "This operator is composed of several layers, with a \(name) each (\(inner.prefix(3).joined(separator: ", "))\(inner.count > 3 ? ", …" : "")); give them by name with --weights."
          )
        }
        throw WorkbenchError("This operator has no \(name); leave out --\(name).")
      }
      guard let value else { throw WorkbenchError("This operator needs a \(name); give it with --\(name).") }
      guard value.shape == parameter.value.shape else {
        throw WorkbenchError(
          "The \(name) has the shape \(parameter.layout.fileShape(value.shape)); this operator needs \(parameter.layout.fileShape(parameter.value.shape))."
        )
      }
      parameter.value = value
    }
  }

  private func ownParameter(_ name: String) -> Parameter? { parameters.first { $0.name == name }?.parameter }
}
