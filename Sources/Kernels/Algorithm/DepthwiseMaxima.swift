import Compute
import Layers
import Tensors

/// The tropical product with as many groups as channels, vectorised over the channels.
struct DepthwiseMaxima: Algorithm {
  let name = "depthwise-maxima"
  let isExactOnIntegers = true

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    guard operation.combination.engine?.step == .largestSum else {
      return
        "The algorithm depthwise-maxima takes the largest x + w, so it cannot compute \(operation.combination.formula); use direct."
    }
    guard operation.readsRegularGrid else {
      return "The algorithm depthwise-maxima needs the regular grid; use direct."
    }
    guard operation.geometry.isDepthwise else {
      return "The algorithm depthwise-maxima needs one input and one output channel per group; use direct."
    }
    return nil
  }

  /// About 10 terms a nanosecond; gradients have a choice for each output besides.
  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double {
    let g = operation.geometry, outputs = Double(g.checkedOutput(input).count)
    return outputs * (0.1 * Double(g.taps) + (pass == .forward ? 0 : 4))
  }

  func make(_ operation: Operation) -> any ConvolutionPasses {
    DepthwiseMaximaPasses(operation.geometry)
  }
}

/// The passes of `depthwise-maxima`.
final class DepthwiseMaximaPasses: ConvolutionPasses {
  private let geometry: ConvolutionGeometry

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    geometry.depthwiseForward(x, filter.value, epilogue) {
      DepthwiseMaxPlus.forward($0, x: $1, weights: $2, y: $3, epilogue: $4, threads: context.threads)
    }
  }

  func inputGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, adding summand: Tensor?,
    _ context: Context
  ) -> Tensor {
    var dx = Tensor(uninitialized: x.shape)
    dx.withMutablePointer { gradients(g, x, weight, dx: $0, dw: nil, context) }
    if let summand { dx.add(summand, threads: context.threads) }
    return dx
  }

  func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    var dw = Tensor(uninitialized: weight.value.shape)
    dw.withMutablePointer { gradients(g, x, weight, dx: nil, dw: $0, context) }
    return dw
  }

  private func gradients(
    _ g: Tensor, _ x: Tensor, _ weight: Parameter, dx: UnsafeMutablePointer<Float>?,
    dw: UnsafeMutablePointer<Float>?, _ context: Context
  ) {
    let shape = geometry.depthwiseShape(FeatureShape(x))
    withPointers(g, x, weight.value) { g, x, w in
      DepthwiseMaxPlus.gradients(
        shape, g: g, x: x, weights: w, dx: dx, dw: dw, threads: context.threads)
    }
  }
}
