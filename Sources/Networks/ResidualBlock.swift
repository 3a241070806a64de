import Kernels
import Layers
import Tensors

/// A residual block: `relu(main(x) + shortcut(x))`, its layers named as torchvision names them.
public final class ResidualBlock: Layer {
  private let residual: Residual
  private let relu = ReLU()

  /// A block of the named layers, with the identity or a projection beside them.
  init(_ main: [(name: String, layer: any Layer)], projection: Sequential?) {
    residual = Residual(main, shortcut: projection.map { ("downsample", $0) })
  }

  public var children: [(name: String, layer: any Layer)] { residual.children }

  public func outputShape(for input: FeatureShape) throws -> FeatureShape {
    try residual.outputShape(for: input)
  }

  public func cost(for input: FeatureShape) throws -> Cost {
    try residual.cost(for: input) + relu.cost(for: outputShape(for: input))
  }

  public func forward(_ input: Tensor, _ context: Context) -> Tensor {
    relu.forward(residual.forward(input, context), context)
  }

  public func backward(_ gradient: Tensor, _ context: Context) -> Tensor {
    residual.backward(relu.backward(gradient, context), context)
  }
}
