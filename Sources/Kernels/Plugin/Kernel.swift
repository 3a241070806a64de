import Layers
import Tensors

/// A convolution operator as a plug-in: what it is called, what it means, and how to make its layer.
///
/// To add one, write a type that conforms to this protocol and put it into the list that a `KernelRegistry` is
/// made from: the command line, the tests, the cost tables and the benchmarks then all know it.
public protocol Kernel: Sendable {
  /// The name on the command line, without `:`, `,` and `+`.
  var name: String { get }
  /// One line that says what it does.
  var summary: String { get }
  /// The family it is listed under; `.other` by default.
  var family: KernelFamily { get }
  /// What an output is, as a formula.
  var formula: String { get }
  /// Where it comes from.
  var paper: String { get }
  /// The options that may follow the name, as in `dilated:dilation=4`; none by default.
  ///
  /// Reading an option that is not listed here stops the program, so that mistakes in the list are noticed.
  var options: [any AnyKernelOption] { get }
  /// The algorithms that can compute it, the reference last.
  var algorithms: [String] { get }

  /// Remarks on the chosen options, one sentence each: what they save, or what they break.
  func remarks(_ options: KernelOptions) -> [String]

  /// Whether its layer ignores the groups of the convolution that it replaces; false by default.
  var ignoresGroups: Bool { get }

  /// The geometry of this kernel if it replaces a network's k×k convolution of geometry `place`.
  func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry

  /// The site of the operator alone, applied to given arrays by `experiment conv`.
  func site(for request: OperatorRequest) throws -> KernelSite

  /// Why its layer at this site, whose geometry is the kernel's own, cannot have a bias; nil, the default, if it can.
  func biasRefusal(at site: KernelSite) -> String?

  /// A new layer; throws the reason if there is none for this site. A site with a bias that is refused does not get
  /// here: see ``KernelChoice/makeLayer(_:)``.
  func makeLayer(_ site: KernelSite) throws -> any KernelLayer
}

extension Kernel {
  /// Those that multiply on a regular grid.
  public var algorithms: [String] { Algorithms.names() }
  public var family: KernelFamily { .other }
  /// None by default.
  public var options: [any AnyKernelOption] { [] }

  /// None by default.
  public func remarks(_ options: KernelOptions) -> [String] { [] }

  public var ignoresGroups: Bool { false }

  public func biasRefusal(at site: KernelSite) -> String? { nil }

  /// Spreads the taps and changes the window if the options ask for it; otherwise it is the place's own geometry.
  public func geometry(at place: ConvolutionGeometry, options: KernelOptions) throws -> ConvolutionGeometry {
    // A plug-in's own option of that name may mean something else.
    let spreads = self.options.contains { $0.flag == KernelOptions.dilation.flag }
    let own = try place.dilated(by: spreads ? options.dilation : Pair(1)).windowed(by: options)
    return ignoresGroups ? try own.with(groups: 1) : own
  }

  /// The window and the output channels are those of the weight; padding is used as given.
  public func site(for request: OperatorRequest) throws -> KernelSite {
    guard let weight = request.operands.weight else {
      throw WorkbenchError(
        "\(name) needs a weight; give it with --weight, or those of several layers by name with --weights.")
    }
    guard !request.options.isGiven(KernelOptions.window) else {
      throw WorkbenchError("The weight determines the window; leave out the option window of \(name).")
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
