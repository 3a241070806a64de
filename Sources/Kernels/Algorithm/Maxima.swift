import Compute
import Layers
import Tensors

/// An adder's forward pass as 2·Σ max(x, w) − Σ x − Σ w: two instructions a term instead of three.
struct Maxima: Algorithm {
  let name = "max"

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    guard operation.combination.engine?.step == .distance else {
      return "The algorithm max computes distances, not \(operation.combination.formula); use direct."
    }
    guard operation.readsRegularGrid else {
      return "The algorithm max needs the regular grid; use direct."
    }
    return pass == .forward ? nil : "The algorithm max computes the forward pass only; use direct."
  }

  /// With few outputs or terms, the sums of x and w cost more than the maxima save.
  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double {
    let g = operation.geometry
    let pays = g.outputsPerGroup >= 32 && g.channelsPerGroup * g.taps >= 64
    return Estimates.products(g, pass, input) * (pays ? 0.7 : 1.5)
  }

  func make(_ operation: Operation) -> any ConvolutionPasses { MaximaPasses(operation.geometry) }
}

/// The forward pass of `max`.
final class MaximaPasses: ConvolutionPasses {
  private let geometry: ConvolutionGeometry
  private let pack = FilterCache<PackedWeights>()

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let packed = pack.value(filter, context) {
      PackedWeights(forward: $0, groups: geometry.groups, threads: context.threads)
    }
    let zeros = Tensor(repeating: 0, [geometry.inputChannels])
    var y = Tensor(uninitialized: plan.output.extents)
    withPointers(x, zeros) { x, zeros in
      y.withMutablePointer { y in
        epilogue.withPointers(output: y) { epilogue in
          indirectDistances(
            rows: plan.output.pixels, weights: packed, epilogue: epilogue, threads: context.threads
          ) {
            plan.fill($0, $1, x: x, zeros: zeros, y: y, skipsPadding: false)
          }
        }
      }
    }
    return y
  }
}
