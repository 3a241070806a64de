import Layers
import Tensors

/// Whether a 1×1 convolution follows an operator that mixes no channels.
public enum Mixing: String, CaseIterable, Sendable {
  /// Where the number of channels changes.
  case auto
  /// Everywhere.
  case always
}

extension KernelOptions {
  /// Whether a 1×1 convolution follows.
  public static let pointwise = KernelOption(
    "pointwise", .word, initial: Mixing.auto,
    help: "auto: a 1×1 follows where the number of channels changes")
}

// For kernels with the option `pointwise`: a layer on the input's channels, then a 1×1 to the outputs if it is needed
// or wanted.
extension KernelSite {
  /// Whether a 1×1 convolution follows.
  public var mixes: Bool {
    options[KernelOptions.pointwise] == .always || geometry.inputChannels != geometry.outputChannels
  }

  /// That convolution, with the site's bias; nil if it is not needed.
  public func mixing(from inputs: Int? = nil) throws -> [NamedLayer] {
    mixes ? [try convolution("pointwise", geometry.pointwise(from: inputs), bias: bias)] : []
  }
}

extension ConvolutionGeometry {
  /// The stride in both directions, for a place that keeps the image's size apart from the stride.
  public func evenStride(of kernel: String) throws -> Int {
    try checkKeepsSize()
    guard stride.height == stride.width else {
      throw WorkbenchError("\(kernel) needs the same stride in both directions, not \(stride).")
    }
    return stride.height
  }
}
