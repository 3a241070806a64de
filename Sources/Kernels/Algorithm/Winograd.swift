import Compute
import Layers
import Tensors

/// 3×3 convolution of stride 1 by Winograd's minimal filtering (Lavin and Gray, 2015, arXiv:1509.09308): fewer
/// products, larger rounding errors.
struct Winograd: Algorithm {
  private let size: WinogradSize

  /// F(4×4, 3×3) or F(2×2, 3×3).
  init(_ size: WinogradSize) { self.size = size }

  var name: String { size == .four ? "winograd" : "winograd2" }

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    if let reason = operation.refusalUnlessGridOfProducts(name) { return reason }
    let g = operation.geometry
    guard g.kernel == Pair(3), g.stride == Pair(1), g.groups == 1 else {
      return
        "The algorithm \(name) takes 3×3 windows of stride 1 without groups, not \(g.kernel) of stride \(g.stride) in \(g.countedGroups); use direct."
    }
    // The transformed weights are four times as large as the weights, or nearly twice.
    return Tensor.refusal([36, g.inputChannels, g.outputChannels], "The weights transformed for winograd")
  }

  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double {
    // F(2×2, 3×3) is for small images with many weights, forward only: a training step transforms its weights anew, and
    // once for each pass.
    guard size == .four || pass == .forward else { return .infinity }
    let g = operation.geometry
    let image = pass == .inputGradient ? input : g.checkedOutput(input)
    let side = size.rawValue, products = size.products
    let tiles = image.batch * ((image.height + side - 1) / side) * ((image.width + side - 1) / side)
    let weights = g.inputChannels * g.outputChannels
    let speeds = CoreSpeeds.own
    var time =
      Double(tiles * (g.inputChannels + g.outputChannels) * products) / speeds.winogradTransform
      + Estimates.least
    switch pass {
    case .weightGradient:
      // The sums are 36 matrices, read and written for each chunk of tiles.
      let chunks = 2 + tiles * products * (g.inputChannels + g.outputChannels) / 400_000
      time += Double(chunks * products * 2 * weights) / speeds.winogradSums
      time +=
        Double(products)
        * Estimates.products(rows: tiles, g.inputChannels, g.outputChannels, single: speeds.singleWeights)
    case .forward, .inputGradient:
      let (inputs, outputs) =
        pass == .forward ? (g.inputChannels, g.outputChannels) : (g.outputChannels, g.inputChannels)
      // Transformed weights are four times as large, or nearly twice. They are fetched while others are multiplied.
      time += max(
        Double(products * 4 * weights) / speeds.winogradWeights,
        Double(products) * Estimates.products(rows: tiles, inputs, outputs))
    }
    return time / speeds.margin
  }

  func make(_ operation: Operation) -> any ConvolutionPasses { WinogradPasses(operation.geometry, size) }
}

/// The passes of `winograd` and `winograd2`.
final class WinogradPasses: ConvolutionPasses {
  private let geometry: ConvolutionGeometry
  private let size: WinogradSize
  private let forwardWeights = FilterCache<WinogradWeights>(),
    backwardWeights = FilterCache<WinogradWeights>()

  init(_ geometry: ConvolutionGeometry, _ size: WinogradSize) {
    self.geometry = geometry
    self.size = size
  }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let weights = forwardWeights.value(filter, context) {
      WinogradWeights($0, size, backward: false, threads: context.threads)
    }
    return convolve(
      x, geometry.checkedOutput(FeatureShape(x)), weights, epilogue, top: geometry.padding.top,
      left: geometry.padding.left, context)
  }

  /// dx is the convolution of g with the rotated window, padded to its full reach.
  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor {
    let weights = backwardWeights.value(Filter(weight), context) {
      WinogradWeights($0, size, backward: true, threads: context.threads)
    }
    return convolve(
      g, FeatureShape(x), weights, Epilogue(residual: summand),
      top: 2 * geometry.dilation.height - geometry.padding.top,
      left: 2 * geometry.dilation.width - geometry.padding.left, context)
  }

  func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
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
    _ x: Tensor, _ output: FeatureShape, _ weights: WinogradWeights, _ epilogue: Epilogue, top: Int,
    left: Int,
    _ context: Context
  ) -> Tensor {
    var y = Tensor(uninitialized: output.extents)
    x.withPointer { source in
      y.withMutablePointer { y in
        epilogue.withPointers(output: y) { epilogue in
          winogradConvolve(
            tiling(FeatureShape(x), output, top: top, left: left), weights, x: source, y: y,
            epilogue: epilogue,
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
