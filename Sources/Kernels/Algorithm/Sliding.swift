import Compute
import Layers
import Tensors

/// Windows three pixels wide with stride 1: neighbouring pixels share what they read, and each loaded value is
/// multiplied by the three taps of its row.
struct Sliding: Algorithm {
  let name = "sliding"
  let isExactOnIntegers = true

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    if let reason = operation.refusalUnlessGridOfProducts(name) { return reason }
    let g = operation.geometry
    guard g.slides else {
      return
        "The algorithm sliding needs windows three pixels wide, stride 1 and one group, not \(g.kernel) with stride \(g.stride) in \(g.countedGroups); use direct."
    }
    // The gradient to the input pads g by the window's full reach less the padding.
    let columns =
      switch pass {
      case .forward: 0...1
      case .inputGradient: 1...2
      case .weightGradient: 0...2
      }
    guard columns.contains(g.padding.left), columns.contains(g.padding.right) else {
      return
        "The algorithm sliding needs \(columns.lowerBound) to \(columns.upperBound) columns of padding on either side, not \(g.padding); use direct."
    }
    guard let input, pass != .weightGradient else { return nil }
    let output = g.checkedOutput(input)
    let serves =
      pass == .forward
      ? g.slidingConvolution(input, output) : g.slidingConvolution(output, input, isTurned: true)
    return serves == nil
      ? "The algorithm sliding needs few output channels and rows of at least eight pixels; use direct." : nil
  }

  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double {
    let geometry = operation.geometry, output = geometry.checkedOutput(input)
    let products = Estimates.products(geometry, pass, input, sharing: true)
    switch pass {
    case .forward, .inputGradient:
      // Rows are computed eight pixels at a time.
      let width = pass == .forward ? output.width : input.width
      return products * CoreSpeeds.own.sliding * Double((width + 7) / 8 * 8) / Double(width)
    case .weightGradient:
      // All sums are read and written for each block of rows. In a cache that hardly counts; beyond it, twenty floats a
      // nanosecond were measured.
      let blocks = SlidingConvolution.weightBlocks(input: input, output: output)
      let sums = geometry.taps * input.channels * output.channels
      return products * CoreSpeeds.own.slidingWeights + (sums > 1 << 17 ? Double(2 * blocks * sums) / 20 : 0)
    }
  }

  func make(_ operation: Operation) -> any ConvolutionPasses { SlidingPasses(operation.geometry) }
}

extension ConvolutionGeometry {
  /// Whether windows are three pixels wide with stride 1, so that neighbours share what they read.
  var slides: Bool { groups == 1 && stride == Pair(1) && kernel.width == 3 && dilation.width == 1 }

  /// The engine's sliding convolution; nil if it does not serve these shapes.
  ///
  /// - Parameter isTurned: whether it is the gradient to the input: the convolution of g with the rotated window,
  ///   padded to its full reach.
  fileprivate func slidingConvolution(
    _ input: FeatureShape, _ output: FeatureShape, isTurned: Bool = false
  ) -> SlidingConvolution? {
    let reach = dilation.height * (kernel.height - 1)
    return SlidingConvolution(
      input: input, output: output, kernelHeight: kernel.height,
      rowDilation: dilation.height,
      top: isTurned ? reach - padding.top : padding.top,
      left: isTurned ? 2 - padding.left : padding.left, isTurned: isTurned)
  }
}

/// The passes of `sliding`.
final class SlidingPasses: ConvolutionPasses {
  private let geometry: ConvolutionGeometry
  private let forwardPack = FilterCache<PackedWeights>(), backwardPack = FilterCache<PackedWeights>()

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let packed = forwardPack.value(filter, context) {
      PackedWeights(forward: $0, groups: 1, threads: context.threads)
    }
    return convolve(x, plan.output, packed, epilogue, isTurned: false, context)
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor {
    let packed = backwardPack.value(Filter(weight), context) {
      PackedWeights(backward: $0, groups: 1, threads: context.threads)
    }
    return convolve(g, FeatureShape(x), packed, Epilogue(residual: summand), isTurned: true, context)
  }

  func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    var dw = Tensor(uninitialized: weight.value.shape)
    withPointers(g, x) { gradient, input in
      dw.withMutablePointer { dw in
        slidingWeightGradient(
          input: FeatureShape(x), output: FeatureShape(g), kernelHeight: geometry.kernel.height,
          rowDilation: geometry.dilation.height, top: geometry.padding.top, left: geometry.padding.left,
          x: input, gradient: gradient, result: dw, threads: context.threads)
      }
    }
    return dw
  }

  private func convolve(
    _ x: Tensor, _ output: FeatureShape, _ packed: PackedWeights, _ epilogue: Epilogue, isTurned: Bool,
    _ context: Context
  ) -> Tensor {
    guard let convolution = geometry.slidingConvolution(FeatureShape(x), output, isTurned: isTurned) else {
      preconditionFailure("refused by Sliding")
    }
    var y = Tensor(uninitialized: output.extents)
    x.withPointer { x in
      y.withMutablePointer { y in
        epilogue.withPointers(output: y) {
          convolution(x, packed, y: y, epilogue: $0, threads: context.threads)
        }
      }
    }
    return y
  }
}
