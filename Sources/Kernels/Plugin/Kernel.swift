import Layers
import Tensors

/// A convolution operator as a plug-in: what it is called, what it means, and how to make its layer.
///
/// To add one, write a type that conforms to this protocol and put it into the list that a `KernelRegistry` is
/// made from: the command line, the tests, the cost tables and the benchmarks then all know it.
public protocol Kernel: Sendable {
  /// The name on the command line, without `:`, `,` and `+`.
  var name: String { get }
  /// One line: what it does.
  var summary: String { get }
  /// The family it is listed under; `.other` by default.
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

  /// Notes on the chosen options, one sentence each: what they save, or what they break.
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
  /// Several small convolutions, one after the other.
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
  /// Stride.
  public var stride: Pair
  /// Zeros around the image, or nil for the operator's own default.
  public var padding: Padding?
  /// Dilation, or nil for the operator's own default.
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
