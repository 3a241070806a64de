import Tensors

/// A rule for initial weights.
///
/// The fan in is the number of products in an output, kernel height · kernel width · input channels / groups. The fan
/// out is kernel height · kernel width · output channels, over all groups, as PyTorch counts it.
public enum Initialization: Hashable, Sendable {
  /// Which fan the variance is divided by.
  public enum Fan: String, Sendable, CaseIterable {
    /// The fan in, which keeps the variance of the forward pass.
    case input = "in"
    /// The fan out, which keeps the variance of the backward pass.
    case output = "out"
  }

  /// The distribution of values with a given variance.
  public enum Distribution: String, Sendable, CaseIterable {
    /// Normal.
    case normal
    /// Uniform between ±√(3 · variance).
    case uniform
  }

  /// Variance gain² / fan (He et al., 2015, arXiv:1502.01852; gain √2 where ReLUs follow).
  case he(_ fan: Fan = .input, _ distribution: Distribution = .normal, squaredGain: Double = 2)
  /// Variance gain² · 2 / (fan in + fan out) (Glorot and Bengio, 2010).
  case xavier(_ distribution: Distribution = .normal, squaredGain: Double = 1)
  /// Normal.
  case normal(deviation: Double)
  /// Normal, drawn again where it is more than `cut` deviations from 0.
  case truncated(deviation: Double, cut: Double)
  /// Uniform between ± the bound.
  case uniform(bound: Double)
  /// Orthonormal outputs, or inputs where there are more outputs, times the gain (Saxe et al., 2013, arXiv:1312.6120).
  case orthogonal(gain: Double)
  /// All zeros.
  case zeros
  /// Uniform within ±1/√(fan in), the default of PyTorch's layers.
  case pyTorch

  /// The rule of torchvision's residual networks.
  public static let residual = Initialization.he(.output)

  /// New weights in HWIO: `[kernel height, kernel width, input channels / groups, output channels]`.
  public func weights(_ shape: [Int], using random: inout Random) -> Tensor {
    let window = shape[0] * shape[1]
    let fanIn = Double(window * shape[2]), fanOut = Double(window * shape[3])
    func draw(_ distribution: Distribution, _ squaredGain: Double, _ fan: Double) -> Tensor {
      switch distribution {
      case .normal: return Tensor(normal: shape, deviation: (squaredGain / fan).squareRoot(), using: &random)
      case .uniform: return bounded((3 * squaredGain / fan).squareRoot())
      }
    }
    func bounded(_ bound: Double) -> Tensor { Tensor(uniform: shape, in: -bound..<bound, using: &random) }
    switch self {
    case .he(let fan, let distribution, let squaredGain):
      return draw(distribution, squaredGain, fan == .input ? fanIn : fanOut)
    case .xavier(let distribution, let squaredGain):
      return draw(distribution, squaredGain, (fanIn + fanOut) / 2)
    case .normal(let deviation): return Tensor(normal: shape, deviation: deviation, using: &random)
    case .truncated(let deviation, let cut):
      let values = (0..<shape.reduce(1, *)).map { _ in
        var value = random.normal()
        while abs(value) > cut { value = random.normal() }
        return Float(value * deviation)
      }
      return Tensor(values, shape)
    case .uniform(let bound): return bounded(bound)
    case .orthogonal(let gain): return orthogonalMatrix(shape, gain: gain, using: &random)
    case .zeros: return Tensor(repeating: 0, shape)
    case .pyTorch: return bounded(1 / fanIn.squareRoot())
    }
  }
}
