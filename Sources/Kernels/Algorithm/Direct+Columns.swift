import Compute
import Layers
import Tensors

// The gradient to the input for samplings without a transposed table. First the gradient to what each pixel read is
// computed, a column for each tap; then the sampling scatters the columns. Some megabytes of columns at a time.
extension DirectPasses {
  func scattered(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    var dx = Tensor(repeating: 0, x.shape)
    forEachBlock(x, plan) { pixels, x, zeros in
      var columns = Tensor(uninitialized: [pixels.count, geometry.taps * geometry.inputChannels])
      g.withPointer { g in
        columns.withMutablePointer { columns in
          switch engine.gradients {
          case .products:
            productColumns(
              g, packedForColumns(weight, context), pixels, columns, threads: context.threads)
          case .clampedDifferences, .differences:
            clampedColumns(
              g, x, zeros, plan, packedForColumns(weight, context), pixels, columns, threads: context.threads)
          case .largestTerm:
            withLargestTerms(plan, weight, pixels, x: x, zeros: zeros, threads: context.threads) {
              largestTermColumns(g, $0, pixels, columns, threads: context.threads)
            }
          }
          dx.withMutablePointer {
            plan.scatter(columns, pixels, x: x, zeros: zeros, into: $0, threads: context.threads)
          }
        }
      }
    }
    return dx
  }

  /// Visits the output's pixels in ranges whose columns have some megabytes.
  func forEachBlock(
    _ x: Tensor, _ plan: any SamplingPlan,
    _ body: (Range<Int>, UnsafePointer<Float>, UnsafePointer<Float>) -> Void
  ) {
    let block = max(1, (1 << 20) / (geometry.taps * geometry.inputChannels))
    let zeros = Tensor(repeating: 0, [geometry.inputChannels])
    withPointers(x, zeros) { x, zeros in
      for first in stride(from: 0, to: plan.output.pixels, by: block) {
        body(first..<min(first + block, plan.output.pixels), x, zeros)
      }
    }
  }

  /// Σ over outputs of w · g, tap by tap.
  private func productColumns(
    _ g: UnsafePointer<Float>, _ packed: PackedWeights, _ pixels: Range<Int>,
    _ columns: UnsafeMutablePointer<Float>, threads: Int
  ) {
    for tap in 0..<geometry.taps {
      indirectGEMM(
        rows: pixels.count, weights: packed, threads: threads, fill: columnRows(tap, g, pixels, columns))
    }
  }

  /// Σ over outputs of clamp(w − x, −limit, limit) · g, tap by tap, x what was read, times a factor.
  private func clampedColumns(
    _ g: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>,
    _ plan: any SamplingPlan, _ packed: PackedWeights, _ pixels: Range<Int>,
    _ columns: UnsafeMutablePointer<Float>, threads: Int
  ) {
    guard let (limit, factor) = engine.gradients.ofDifferences else { return }
    plan.withSamples(geometry, pixels, x: x, zeros: zeros, threads: threads) { samples in
      for tap in 0..<geometry.taps {
        indirectClampedGradient(
          rows: pixels.count, weights: packed, input: samples, gradient: columns, limit: limit,
          threads: threads,
          fill: columnRows(tap, g, pixels, columns))
      }
    }
    if factor != 1 {
      Elementwise.scale(
        factor, columns, columns, count: pixels.count * geometry.taps * geometry.inputChannels,
        threads: threads)
    }
  }

  /// The table of one tap: each row reads its pixel's gradient and writes its column.
  private func columnRows(
    _ tap: Int, _ g: UnsafePointer<Float>, _ pixels: Range<Int>, _ columns: UnsafeMutablePointer<Float>
  ) -> (Range<Int>, RowTable) -> Int {
    let channels = geometry.inputChannels, taps = geometry.taps, outputs = geometry.outputChannels
    return { rows, table in
      table.setTap(slot: 0, tap)
      let slot = table.slot(0)
      for row in rows {
        slot[row - rows.lowerBound] = g + (pixels.lowerBound + row) * outputs
        table.outputRows[row - rows.lowerBound] = columns + (row * taps + tap) * channels
      }
      return 1
    }
  }
}
