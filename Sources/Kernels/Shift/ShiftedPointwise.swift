import Compute
import Layers
import Tensors

/// A pointwise convolution of a shifted image that is never made: a slot for each direction, whose pointers are
/// shifted and whose channels, every k²-th, follow one another in the packed weights.
final class ShiftedPointwise {
  private let geometry: ConvolutionGeometry
  private let cache = FilterCache<PackedWeights>()

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  func forward(_ x: Tensor, _ filter: Filter, _ finish: Finish, _ context: Context) -> Tensor {
    let input = FeatureShape(x), output = geometry.checkedOutput(input), channels = input.channels
    let packed = cache.value(filter, context) { PackedWeights(forward: ordered($0), groups: 1) }
    let runs = runs(input)
    let reach = geometry.padding
    let zeros = Tensor(repeating: 0, [channels])
    var y = Tensor(uninitialized: output.extents)
    withPointers(x, zeros) { x, zeros in
      y.withMutablePointer { y in
        finish.withPointers(output: y) { finish in
          indirectGEMM(
            rows: output.pixels, weights: packed, finish: finish, slots: runs.count,
            channelStep: geometry.taps, threads: context.threads
          ) { range, table in
            for (slot, run) in runs.enumerated() {
              table.setChannels(slot: slot, first: run.first, count: run.count)
            }
            for pixel in range {
              let index = pixel &- range.lowerBound
              let (line, column) = pixel.quotientAndRemainder(dividingBy: output.width)
              let (image, row) = line.quotientAndRemainder(dividingBy: output.height)
              let top = row * geometry.stride.height, left = column * geometry.stride.width
              let place = x + ((image &* input.height &+ top) &* input.width &+ left) &* channels
              let isInner =
                top >= reach.top && top + reach.bottom < input.height && left >= reach.left
                && left + reach.right < input.width
              table.outputRows[index] = y + pixel * output.channels
              for slot in 0..<runs.count {
                let run = runs[slot], h = top &+ run.dy, w = left &+ run.dx
                let isInside = isInner || (h >= 0 && h < input.height && w >= 0 && w < input.width)
                table.slot(slot)[index] = isInside ? place + run.offset : zeros
              }
            }
            return runs.count
          }
        }
      }
    }
    return y
  }

  /// The channels of a slot: where they stand in the packed weights and lie in memory.
  private struct Run {
    let first: Int, count: Int, dy: Int, dx: Int, offset: Int
  }

  /// A slot for each direction, and one for each channel that fills no whole round and stays where it is.
  private func runs(_ input: FeatureShape) -> [Run] {
    let channels = input.channels, directions = geometry.taps, each = channels / directions
    let moved = (0..<(each > 0 ? directions : 0)).map { direction in
      let (dy, dx) = ShiftReference.displacement(direction, of: channels, geometry)
      return Run(
        first: direction * each, count: each, dy: dy, dx: dx,
        offset: (dy * input.width + dx) * channels + direction)
    }
    let still = (each * directions..<channels).map { Run(first: $0, count: 1, dy: 0, dx: 0, offset: $0) }
    return moved + still
  }

  /// The weights' input channels in the order of the slots.
  private func ordered(_ weights: Tensor) -> Tensor {
    let channels = weights.shape[2], outputs = weights.shape[3], directions = geometry.taps
    let rounds = channels / directions * directions
    let order =
      (0..<directions).flatMap { stride(from: $0, to: rounds, by: directions) } + Array(rounds..<channels)
    var result = Tensor(uninitialized: weights.shape)
    weights.withPointer { source in
      result.withMutablePointer { target in
        for (position, channel) in order.enumerated() {
          (target + position * outputs).update(from: source + channel * outputs, count: outputs)
        }
      }
    }
    return result
  }
}
