import Compute
import Layers
import Tensors

/// Deformable convolution as a function of its five operands: interpolated rows, then the indirect GEMM.
final class DeformableConvolution {
  private let geometry: ConvolutionGeometry
  private let combine: Combination
  private let forwardPack = FilterCache<PackedWeights>(), backwardPack = FilterCache<PackedWeights>()

  init(_ geometry: ConvolutionGeometry, _ combine: Combination) {
    self.geometry = geometry
    self.combine = combine
  }

  /// The gradients to all operands but the bias.
  struct Gradients {
    var input: Tensor
    var weight: Tensor
    var offset: Tensor
    var mask: Tensor?
  }

  func forward(_ x: Tensor, _ plan: SamplingPlan, _ filter: Filter, _ finish: Finish, _ context: Context)
    -> Tensor
  {
    let packed = forwardPack.value(filter, context) { PackedWeights(forward: $0, groups: geometry.groups) }
    let channels = geometry.inputChannels, taps = geometry.taps, outputs = geometry.outputChannels
    let zeros = Tensor(repeating: 0, [channels])
    var y = Tensor(uninitialized: plan.output.extents)
    withPointers(x, zeros) { x, zeros in
      y.withMutablePointer { y in
        finish.withPointers(output: y) { finish in
          indirectGEMM(
            rows: plan.output.pixels, weights: packed, finish: finish, combine: combine,
            scratchPerRow: taps * channels, threads: context.threads
          ) { range, table in
            for tap in 0..<taps { table.setTap(slot: tap, tap) }
            for pixel in range {
              let index = pixel &- range.lowerBound, image = plan.image(pixel, x)
              var row = table.scratch + index &* taps &* channels
              for tap in 0..<taps {
                plan.interpolate(pixel, tap, image: image, zeros: zeros, into: row)
                table.slot(tap)[index] = UnsafePointer(row)
                row += channels
              }
              table.outputRows[index] = y + pixel &* outputs
            }
            return taps
          }
        }
      }
    }
    return y
  }

  func backward(
    _ g: Tensor, _ x: Tensor, _ plan: SamplingPlan, _ weight: Parameter, hasMask: Bool, _ context: Context
  ) -> Gradients {
    let slots = plan.offsetGroups * geometry.taps
    let pixels = plan.output.extents.dropLast()
    var result = Gradients(
      input: Tensor(repeating: 0, x.shape),
      weight: weightGradient(g, x, plan, weight, threads: context.threads),
      offset: Tensor(uninitialized: pixels + [2 * slots]),
      mask: hasMask ? Tensor(uninitialized: pixels + [slots]) : nil)
    let packed = backwardPack.value(Filter(weight), context) {
      PackedWeights(backward: $0, groups: geometry.groups)
    }
    // One column gradient for each pixel, tap and channel: some megabytes at a time.
    let columnCount = geometry.taps * geometry.inputChannels
    let block = max(1, (1 << 20) / columnCount)
    let zeros = Tensor(repeating: 0, [geometry.inputChannels])
    for first in stride(from: 0, to: plan.output.pixels, by: block) {
      let range = first..<min(first + block, plan.output.pixels)
      var columns = Tensor(uninitialized: [range.count, columnCount])
      withPointers(g, x, zeros) { g, x, zeros in
        columns.withMutablePointer { columns in
          columnGradient(g, x, zeros, plan, packed, range, columns, threads: context.threads)
          positionGradients(columns, x, zeros, plan, range, &result, threads: context.threads)
          result.input.withMutablePointer {
            scatter(columns, plan, range, into: $0, threads: context.threads)
          }
        }
      }
    }
    return result
  }

  private func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: SamplingPlan, _ weight: Parameter, threads: Int
  ) -> Tensor {
    let channels = geometry.inputChannels
    let zeros = Tensor(repeating: 0, [channels])
    var dw = Tensor(uninitialized: weight.value.shape)
    withPointers(g, x, zeros) { g, x, zeros in
      dw.withMutablePointer { dw in
        indirectWeightGradient(
          rows: plan.output.pixels, groups: geometry.groups, taps: geometry.taps,
          channels: geometry.channelsPerGroup, outputs: geometry.outputsPerGroup, gradient: g, result: dw,
          scratchPerRow: channels, threads: threads
        ) { tap, range, pointers, scratch in
          for pixel in range {
            let row = scratch + (pixel - range.lowerBound) * channels
            plan.interpolate(pixel, tap, image: plan.image(pixel, x), zeros: zeros, into: row)
            pointers[pixel - range.lowerBound] = UnsafePointer(row)
          }
        }
      }
    }
    if combine == .adder { subtractWeightedSums(&dw, weight.value, g, threads: threads) }
    return dw
  }

  /// The gradient to what each pixel read: `[pixel][tap][channel]`.
  private func columnGradient(
    _ g: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>, _ plan: SamplingPlan,
    _ packed: PackedWeights, _ range: Range<Int>, _ columns: UnsafeMutablePointer<Float>, threads: Int
  ) {
    let channels = geometry.inputChannels, taps = geometry.taps, outputs = geometry.outputChannels
    func fill(_ tap: Int) -> (Range<Int>, RowTable) -> Int {
      { rows, table in
        table.setTap(slot: 0, tap)
        let slot = table.slot(0)
        for row in rows {
          slot[row - rows.lowerBound] = g + (range.lowerBound + row) * outputs
          table.outputRows[row - rows.lowerBound] = columns + (row * taps + tap) * channels
        }
        return 1
      }
    }
    switch combine {
    case .multiply:
      for tap in 0..<taps {
        indirectGEMM(rows: range.count, weights: packed, threads: threads, fill: fill(tap))
      }
    case .adder:
      withScratch(range.count * taps * channels) { samples in
        parallel(range.count, threads: threads) { rows in
          for row in rows {
            for tap in 0..<taps {
              let pixel = range.lowerBound + row
              plan.interpolate(
                pixel, tap, image: plan.image(pixel, x), zeros: zeros,
                into: samples + (row * taps + tap) * channels)
            }
          }
        }
        for tap in 0..<taps {
          indirectClampedGradient(
            rows: range.count, weights: packed, input: samples, gradient: columns, threads: threads,
            fill: fill(tap))
        }
      }
    }
  }

  /// The gradients to the offsets and the mask, by each sample's inner products with its neighbours.
  private func positionGradients(
    _ columns: UnsafePointer<Float>, _ x: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>,
    _ plan: SamplingPlan,
    _ range: Range<Int>, _ result: inout Gradients, threads: Int
  ) {
    let taps = geometry.taps, channels = geometry.inputChannels, groups = plan.offsetGroups
    let hasMask = result.mask != nil
    var maskGradient = result.mask.take() ?? Tensor(uninitialized: [1])
    result.offset.withMutablePointer { offset in
      maskGradient.withMutablePointer { mask in
        parallel(range.count, threads: threads) { rows in
          for row in rows {
            let pixel = range.lowerBound + row
            let image = plan.image(pixel, x)
            for group in 0..<groups {
              for tap in 0..<taps {
                let index = (pixel * groups + group) * taps + tap
                let (sample, factor) = plan.sample(pixel, group, tap)
                let first = group * plan.channelsPerOffset
                let s = Sampling.products(
                  columns + (row * taps + tap) * channels + first, image + first, sample, zeros: zeros,
                  channels: plan.channelsPerOffset)
                let (fy, fx) = sample.fraction, w = sample.weights
                offset[2 * index] = factor * ((1 - fx) * (s.2 - s.0) + fx * (s.3 - s.1))
                offset[2 * index + 1] = factor * ((1 - fy) * (s.1 - s.0) + fy * (s.3 - s.2))
                if hasMask { mask[index] = w.0 * s.0 + w.1 * s.1 + w.2 * s.2 + w.3 * s.3 }
              }
            }
          }
        }
      }
    }
    result.mask = hasMask ? maskGradient : nil
  }

  /// Adds the column gradients to the pixels that were sampled; each thread owns a range of channels.
  private func scatter(
    _ columns: UnsafePointer<Float>, _ plan: SamplingPlan, _ range: Range<Int>,
    into dx: UnsafeMutablePointer<Float>, threads: Int
  ) {
    let taps = geometry.taps, channels = geometry.inputChannels
    let imagePixels = plan.output.height * plan.output.width
    let imageCount = plan.input.height * plan.input.width * channels
    parallel(channels, threads: threads, grain: 16) { share in
      for pixel in range {
        let image = dx + pixel / imagePixels * imageCount
        for group in 0..<plan.offsetGroups {
          let first = group * plan.channelsPerOffset
          let owned =
            max(
              share.lowerBound, first)..<max(
              share.lowerBound, first, min(share.upperBound, first + plan.channelsPerOffset))
          if owned.isEmpty { continue }
          for tap in 0..<taps {
            let (sample, factor) = plan.sample(pixel, group, tap)
            let column = columns + ((pixel - range.lowerBound) * taps + tap) * channels
            Sampling.scatter(column, sample, scale: factor, into: image, channels: owned)
          }
        }
      }
    }
  }
}
