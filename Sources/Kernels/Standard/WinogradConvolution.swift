import Compute
import Layers
import Tensors

/// 3×3 convolution of stride 1 by Winograd's minimal filtering (Lavin and Gray, 2015, arXiv:1509.09308): fewer
/// products, larger rounding errors.
final class WinogradConvolution: ConvolutionAlgorithm {
  let name: String
  private let geometry: ConvolutionGeometry
  private let size: WinogradSize
  private let forwardWeights = FilterCache<WinogradWeights>(),
    backwardWeights = FilterCache<WinogradWeights>()

  init(_ geometry: ConvolutionGeometry, _ size: WinogradSize) throws {
    name = size == .four ? "winograd" : "winograd2"
    try Self.checkWeights(geometry)
    guard Self.serves(geometry) else {
      throw WorkbenchError(
        "The algorithm \(name) takes 3×3 windows of stride 1 without groups, not \(geometry.kernel) of stride \(geometry.stride) in \(geometry.groups) groups; use direct."
      )
    }
    self.geometry = geometry
    self.size = size
  }

  /// Refuses weights that would be too many once transformed: four times as many.
  private static func checkWeights(_ geometry: ConvolutionGeometry) throws {
    try Tensor.checkSize(
      [36, geometry.inputChannels, geometry.outputChannels], "The weights transformed for winograd")
  }

  /// Whether it can compute a convolution.
  static func serves(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.kernel == Pair(3) && geometry.stride == Pair(1) && geometry.groups == 1
      && (try? checkWeights(geometry)) != nil
  }

  func forward(_ x: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor {
    let weights = forwardWeights.value(filter, context) {
      WinogradWeights($0, size, backward: false, threads: context.threads)
    }
    return convolve(
      x, geometry.checkedOutput(FeatureShape(x)), weights, finish, top: geometry.padding.top,
      left: geometry.padding.left, context)
  }

  /// dx is the convolution of g with the turned window, padded by what is missing to its full reach.
  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ weight: Parameter, adding summand: Tensor?, _ context: Context
  ) -> Tensor {
    let weights = backwardWeights.value(Filter(weight), context) {
      WinogradWeights($0, size, backward: true, threads: context.threads)
    }
    return convolve(
      g, FeatureShape(x), weights, Finish(residual: summand),
      top: 2 * geometry.dilation.height - geometry.padding.top,
      left: 2 * geometry.dilation.width - geometry.padding.left, context)
  }

  func weightGradient(_ g: Tensor, _ x: Tensor, _ weight: Parameter, _ context: Context) -> Tensor {
    var dw = Tensor(uninitialized: weight.value.shape)
    let tiling = tiling(
      FeatureShape(x), FeatureShape(g), top: geometry.padding.top, left: geometry.padding.left)
    withPointers(x, g) { x, g in
      dw.withMutablePointer {
        winogradWeightGradient(size, tiling, x: x, gradient: g, result: $0, threads: context.threads)
      }
    }
    return dw
  }

  private func convolve(
    _ x: Tensor, _ output: FeatureShape, _ weights: WinogradWeights, _ finish: Finish, top: Int, left: Int,
    _ context: Context
  ) -> Tensor {
    var y = Tensor(uninitialized: output.extents)
    x.withPointer { source in
      y.withMutablePointer { y in
        finish.withPointers(output: y) { finish in
          winogradConvolve(
            tiling(FeatureShape(x), output, top: top, left: left), weights, x: source, y: y, finish: finish,
            threads: context.threads)
        }
      }
    }
    return y
  }

  private func tiling(_ input: FeatureShape, _ output: FeatureShape, top: Int, left: Int) -> WinogradTiling {
    WinogradTiling(
      size, input: input, output: output, top: top, left: left,
      dilation: (geometry.dilation.height, geometry.dilation.width))
  }
}
