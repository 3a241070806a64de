import Kernels
import Layers
import Tensors

/// The standard convolution with one more algorithm.
struct Columns: Kernel {
  let name = "columns"
  let summary = "the standard convolution, which can also be computed from a matrix of columns"
  let formula = "y[p, o] = Σ over t, c of x[p·s + t, c] · w[t, c, o]"
  let paper = "an example"
  var algorithms: [String] { ["im2col"] + Algorithms.names() }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site, algorithms: .builtIn.adding(ColumnMatrix(), for: [.forward]))
  }
}

/// The algorithm of Chellapilla et al. (2006): all windows are copied into a matrix, which is multiplied by the weights.
struct ColumnMatrix: Algorithm {
  let name = "im2col"
  let isExactOnIntegers = true

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    guard operation.combination.isProduct, operation.readsRegularGrid else {
      return "The algorithm im2col multiplies on a regular grid; use direct."
    }
    return operation.geometry.groups == 1 ? nil : "The algorithm im2col takes no groups; use direct."
  }

  /// It serves for comparison: `auto` never takes it.
  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double { .infinity }

  func make(_ operation: Operation) -> any ConvolutionPasses { ColumnMatrixPasses(operation.geometry) }
}

final class ColumnMatrixPasses: ConvolutionPasses {
  private let geometry: ConvolutionGeometry

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let depth = geometry.taps * geometry.inputChannels, pixels = plan.output.pixels
    let zeros = Tensor(repeating: 0, [geometry.inputChannels])
    var columns = Tensor(uninitialized: [pixels, depth])
    withPointers(x, zeros) { x, zeros in
      columns.withMutablePointer { columns in
        // The grid's pointers need no scratch memory, but the call takes some.
        var place = x, unused: Float = 0
        for pixel in 0..<pixels {
          for tap in 0..<geometry.taps {
            plan.fillTap(tap, pixel..<pixel + 1, x: x, zeros: zeros, scratch: &unused, into: &place)
            (columns + pixel * depth + tap * geometry.inputChannels)
              .update(from: place, count: geometry.inputChannels)
          }
        }
      }
    }
    let weights = filter.value.reshaped([depth, geometry.outputChannels])
    let product = MatrixProduct.plain(columns, weights, threads: context.threads)
    return epilogue.applied(to: product.reshaped(plan.output.extents), context)
  }
}
