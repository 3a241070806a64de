import Layers
import Tensors

/// The arguments of `experiment conv` for an operator.
public struct OperatorRequest: Sendable {
  /// Channels of the input.
  public var inputChannels: Int
  /// The arrays besides the input.
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

  /// The dilation of the request or of the options; throws if both are given.
  public func tapDistance(of kernel: String) throws -> Pair {
    guard let dilation else { return options.dilation }
    guard !options.isGiven(KernelOptions.dilation) else {
      throw WorkbenchError("The dilation of \(kernel) is given twice; use the option or --dilation.")
    }
    return dilation
  }
}
