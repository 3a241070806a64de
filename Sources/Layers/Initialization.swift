import Tensors

/// How weights start.
public enum Initialization: String, Sendable, CaseIterable {
  /// Normal with variance 2 / fan out (He et al., 2015, arXiv:1502.01852), as torchvision's residual networks.
  case he
  /// Uniform with variance 2 / (fan in + fan out) (Glorot and Bengio, 2010).
  case xavier
  /// Standard normal, as AdderNet's weights start.
  case unitNormal
  /// Uniform with variance 2 / fan in (He et al., 2015), as torchvision's SqueezeNet.
  case heUniform
  /// Normal with deviation 0.01, as torchvision's GoogLeNet.
  case narrow
  /// Uniform within ±1/√(fan in), as PyTorch's layers where a model does not say.
  case pyTorch

  /// New weights.
  ///
  /// - Parameter shape: HWIO: `[kernel height, kernel width, input channels / groups, output channels]`.
  public func weights(_ shape: [Int], using random: inout Random) -> Tensor {
    let window = shape[0] * shape[1]
    let fanIn = Double(window * shape[2]), fanOut = Double(window * shape[3])
    switch self {
    case .he: return Tensor(normal: shape, deviation: (2 / fanOut).squareRoot(), using: &random)
    case .xavier:
      let bound = (6 / (fanIn + fanOut)).squareRoot()
      return Tensor(uniform: shape, in: -bound..<bound, using: &random)
    case .unitNormal: return Tensor(normal: shape, using: &random)
    case .heUniform:
      let bound = (6 / fanIn).squareRoot()
      return Tensor(uniform: shape, in: -bound..<bound, using: &random)
    case .narrow: return Tensor(normal: shape, deviation: 0.01, using: &random)
    case .pyTorch:
      let bound = 1 / fanIn.squareRoot()
      return Tensor(uniform: shape, in: -bound..<bound, using: &random)
    }
  }
}
