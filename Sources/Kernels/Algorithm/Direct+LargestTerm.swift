import Compute
import Layers
import Tensors

// Gradients of a maximum: an output passes its gradient on to the x and the w of its first largest term.
extension DirectPasses {
  /// Columns of zeros, except where the largest terms read.
  func largestTermColumns(
    _ g: UnsafePointer<Float>, _ terms: UnsafePointer<Int32>, _ pixels: Range<Int>,
    _ columns: UnsafeMutablePointer<Float>, threads: Int
  ) {
    let outputs = geometry.outputChannels, size = geometry.taps * geometry.inputChannels
    parallel(pixels.count, threads: threads) { rows in
      for row in rows {
        let column = columns + row * size
        column.update(repeating: 0, count: size)
        for output in 0..<outputs {
          column[Int(terms[row * outputs + output])] += g[(pixels.lowerBound + row) * outputs + output]
        }
      }
    }
  }

  /// dw: each thread owns a range of outputs.
  func largestTermWeightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    let outputs = geometry.outputChannels, perGroup = geometry.channelsPerGroup
    let channels = geometry.inputChannels
    var dw = Tensor(repeating: 0, weight.value.shape)
    forEachBlock(x, plan) { pixels, x, zeros in
      withLargestTerms(plan, weight, pixels, x: x, zeros: zeros, threads: context.threads) { terms in
        g.withPointer { g in
          dw.withMutablePointer { dw in
            parallel(outputs, threads: context.threads, grain: 16) { own in
              for row in 0..<pixels.count {
                for output in own {
                  let (tap, channel) = Int(terms[row * outputs + output]).quotientAndRemainder(
                    dividingBy: channels)
                  dw[(tap * perGroup + channel % perGroup) * outputs + output] +=
                    g[(pixels.lowerBound + row) * outputs + output]
                }
              }
            }
          }
        }
      }
    }
    return dw
  }

  /// For each pixel of a range and each output, the tap and channel of its first largest term.
  func withLargestTerms(
    _ plan: any SamplingPlan, _ weight: Parameter, _ pixels: Range<Int>, x: UnsafePointer<Float>,
    zeros: UnsafePointer<Float>, threads: Int, _ body: (UnsafePointer<Int32>) -> Void
  ) {
    let count = pixels.count * geometry.outputChannels
    plan.withSamples(geometry, pixels, x: x, zeros: zeros, threads: threads) { samples in
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { terms in
        guard let terms = terms.baseAddress else { return }
        weight.value.withPointer {
          largestTerms(
            of: samples, rows: pixels.count, taps: geometry.taps, channels: geometry.inputChannels,
            groups: geometry.groups, weights: $0, outputs: geometry.outputChannels, into: terms,
            threads: threads)
        }
        body(terms)
      }
    }
  }
}
