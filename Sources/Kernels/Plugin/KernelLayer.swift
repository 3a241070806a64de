import Layers
import Tensors

/// A layer that can replace a k×k convolution. It has a definition, with which its fast passes are compared.
public protocol KernelLayer: Defined {
  /// The geometry of the whole layer.
  var geometry: ConvolutionGeometry { get }

  /// The algorithm that computes it.
  var algorithm: String { get }
}

extension KernelLayer {
  /// The geometry's output.
  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try geometry.outputShape(for: input)
  }
}

extension NamedParameter {
  /// Whether it says where a kernel reads, not what it multiplies: learned or predicted offsets, in pixels.
  public var isPosition: Bool { parameter.role == .position }
}
