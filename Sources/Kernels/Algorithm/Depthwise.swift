import Compute
import Layers
import Tensors

/// Convolution with as many groups as channels, vectorised over the channels.
struct Depthwise: Algorithm {
  let name = "depthwise"
  let isExactOnIntegers = true

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    if let reason = operation.refusalUnlessGridOfProducts(name) { return reason }
    let g = operation.geometry
    guard g.isDepthwise else {
      return
        "The algorithm depthwise needs one input and one output channel per group, not \(g.inputChannels) and \(g.outputChannels) in \(g.countedGroups); use direct."
    }
    return nil
  }

  /// About 45 GFLOP/s, counting the products inside the image.
  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double {
    let g = operation.geometry, output = g.checkedOutput(input)
    func inside(_ size: Int, _ outputs: Int, _ taps: Int, _ dilation: Int, _ padding: Int) -> Int {
      (0..<outputs).reduce(0) { sum, place in
        sum + (0..<taps).count { (0..<size).contains(place - padding + $0 * dilation) }
      }
    }
    let rows = inside(input.height, output.height, g.kernel.height, g.dilation.height, g.padding.top)
    let columns = inside(input.width, output.width, g.kernel.width, g.dilation.width, g.padding.left)
    return Double(2 * input.batch * rows * columns * g.inputChannels) / CoreSpeeds.own.depthwise
  }

  func make(_ operation: Operation) -> any ConvolutionPasses { DepthwisePasses(operation.geometry) }
}

extension ConvolutionGeometry {
  /// Whether each channel is convolved separately.
  var isDepthwise: Bool { groups == inputChannels && groups == outputChannels }

  /// Their number in words: `one group`, `4 groups`.
  var countedGroups: String { groups == 1 ? "one group" : "\(groups) groups" }
}

extension Operation {
  /// Why an algorithm for products on the regular grid cannot compute it; nil if it can.
  public func refusalUnlessGridOfProducts(_ algorithm: String) -> String? {
    guard combination.isProduct else {
      return "The algorithm \(algorithm) multiplies, so it cannot compute \(combination.formula); use direct."
    }
    guard readsRegularGrid else {
      return "The algorithm \(algorithm) needs the regular grid; use direct."
    }
    return nil
  }
}

/// The passes of `depthwise`.
final class DepthwisePasses: ConvolutionPasses {
  private let geometry: ConvolutionGeometry
  private let weights = FilterCache<Tensor>()

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    geometry.depthwiseForward(x, weights.value(filter, context) { $0 }, epilogue) {
      DepthwiseConvolution.forward($0, x: $1, weights: $2, y: $3, epilogue: $4, threads: context.threads)
    }
  }

  /// At stride 1, a depthwise convolution of g with the rotated window.
  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor {
    let shape = geometry.depthwiseShape(FeatureShape(x)), taps = geometry.taps
    let channels = geometry.inputChannels
    var dx = Tensor(uninitialized: x.shape)
    withPointers(g, weight.value) { g, w in
      dx.withMutablePointer { dx in
        guard geometry.stride == Pair(1) else {
          return DepthwiseConvolution.inputGradient(
            shape, g: g, weights: w, dx: dx, threads: context.threads)
        }
        withScratch(taps * channels) { turned in
          for tap in 0..<taps {
            (turned + tap * channels).update(from: w + (taps - 1 - tap) * channels, count: channels)
          }
          DepthwiseConvolution.forward(
            self.turned(FeatureShape(x)), x: g, weights: turned, y: dx, epilogue: EpiloguePointers(),
            threads: context.threads
          )
        }
      }
    }
    if let summand { dx.add(summand, threads: context.threads) }
    return dx
  }

  func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    let shape = geometry.depthwiseShape(FeatureShape(x))
    var dw = Tensor(uninitialized: weight.value.shape)
    withPointers(g, x) { g, x in
      dw.withMutablePointer {
        DepthwiseConvolution.weightGradient(shape, x: x, g: g, dw: $0, threads: context.threads)
      }
    }
    return dw
  }

  private func turned(_ input: FeatureShape) -> DepthwiseShape {
    let g = geometry
    return g.depthwiseShape(
      g.checkedOutput(input), input, Pair(1), top: g.dilation.height * (g.kernel.height - 1) - g.padding.top,
      left: g.dilation.width * (g.kernel.width - 1) - g.padding.left)
  }
}

extension DepthwisePasses: PassesByBands {
  func bands(
    _ input: FeatureShape, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> BandComputation {
    let weights = weights.value(filter, context) { $0 }, shape = geometry.depthwiseShape(input)
    return { lines, x, y in
      weights.withPointer { w in
        epilogue.withPointers(output: y) {
          DepthwiseConvolution.forward(shape, x: x, weights: w, y: y, epilogue: $0, lines: lines, threads: 1)
        }
      }
    }
  }
}

extension ConvolutionGeometry {
  /// The same for the engine.
  func depthwiseShape(_ input: FeatureShape) -> DepthwiseShape {
    depthwiseShape(input, checkedOutput(input), stride, top: padding.top, left: padding.left)
  }

  /// The output that `compute` writes, from the input, the weights and the epilogue.
  func depthwiseForward(
    _ x: Tensor, _ weights: Tensor, _ epilogue: Epilogue,
    _ compute: (
      DepthwiseShape, _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
      EpiloguePointers
    ) -> Void
  ) -> Tensor {
    let input = FeatureShape(x), shape = depthwiseShape(input)
    var y = Tensor(uninitialized: checkedOutput(input).extents)
    withPointers(x, weights) { x, w in
      y.withMutablePointer { y in epilogue.withPointers(output: y) { compute(shape, x, w, y, $0) } }
    }
    return y
  }

  fileprivate func depthwiseShape(
    _ input: FeatureShape, _ output: FeatureShape, _ stride: Pair, top: Int, left: Int
  ) -> DepthwiseShape {
    DepthwiseShape(
      input: input, output: output, kernel: (kernel.height, kernel.width),
      stride: (stride.height, stride.width), dilation: (dilation.height, dilation.width), top: top, left: left
    )
  }
}
