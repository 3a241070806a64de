import Layers
import Tensors

/// Whether a 1×1 convolution follows an operator that mixes no channels.
enum Mixing: String, CaseIterable { case auto, always }

extension KernelOptions {
  /// Whether a 1×1 convolution follows.
  static let pointwise = KernelOption(
    "pointwise", .word, initial: Mixing.auto,
    help: "auto: a 1×1 follows where the number of channels changes")
}

// For kernels that list the option `pointwise`: what they do to the input's channels, then a 1×1 to the outputs where it is
// needed or wanted.
extension KernelSite {
  /// Whether a 1×1 convolution follows.
  var mixes: Bool {
    options[KernelOptions.pointwise] == .always || geometry.inputChannels != geometry.outputChannels
  }

  /// That convolution, with the site's bias; nothing where it is not needed.
  func mixing(from inputs: Int? = nil) throws -> [NamedLayer] {
    mixes ? [try convolution("pointwise", geometry.pointwise(from: inputs), bias: bias)] : []
  }
}

extension ConvolutionGeometry {
  /// The stride of both directions, of a place that keeps the image's size but for it.
  func evenStride(of kernel: String) throws -> Int {
    try checkKeepsSize()
    guard stride.height == stride.width else {
      throw WorkbenchError("\(kernel) needs one stride for both directions, not \(stride).")
    }
    return stride.height
  }
}
