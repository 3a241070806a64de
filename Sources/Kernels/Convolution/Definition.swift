import Tensors

/// The definition of every operator that samples and combines, in double precision: the oracle of all algorithms.
///
///     y[p, o] = bias[o] + reduce over taps t, channels c of
///               term(mask[p, t] · x(p · stride + t · dilation − padding + offset[p, t], c), w[t, c, o])
///
/// The gradients come from the transpose of the same loop.
struct Definition {
  let geometry: ConvolutionGeometry
  let combination: any Combination
  let positions: Positions

  init(_ geometry: ConvolutionGeometry, _ combination: any Combination, _ positions: Positions = .grid) {
    self.geometry = geometry
    self.combination = combination
    self.positions = positions
  }

  /// The output.
  ///
  /// - Parameters:
  ///   - x: NHWC.
  ///   - w: HWIO.
  ///   - bias: one value for each output channel, if there is one.
  func forward(_ x: Tensor64, _ w: Tensor64, _ bias: Tensor64?) -> Tensor64 {
    var y = Tensor64(repeating: combination.reduction.start, geometry.definedOutput(x.shape))
    w.withPointer { w in
      y.withMutablePointer { y in
        forEachRead(x) {
          combination.fold(
            $0.value, w + $0.weights, into: y + $0.outputs,
            count: geometry.outputsPerGroup)
        }
      }
    }
    if let bias {
      for index in y.values.indices { y.values[index] += bias.values[index % geometry.outputChannels] }
    }
    return y
  }

  /// What each output pixel reads, rounded to single precision: `[pixels, taps · channels]`.
  func columns(_ x: Tensor64) -> Tensor {
    let terms = geometry.taps * geometry.inputChannels, output = geometry.definedOutput(x.shape)
    var columns = Tensor(repeating: 0, [output[0] * output[1] * output[2], terms])
    columns.withMutablePointer { columns in
      forEachRead(x) { columns[$0.outputs / geometry.outputChannels * terms + $0.term] = Float($0.value) }
    }
    return columns
  }

  /// The gradients to x, w and the positions.
  ///
  /// - Parameter g: the gradient to the output.
  func backward(_ x: Tensor64, _ w: Tensor64, _ g: Tensor64) -> (
    x: Tensor64, w: Tensor64, positions: Positions
  ) {
    let largest = combination.reduction == .maximum ? largestReads(x, w) : nil
    var dx = Tensor64(repeating: 0, x.shape), dw = Tensor64(repeating: 0, w.shape)
    var dPositions = Positions(
      offset: positions.offset.map { Tensor64(repeating: 0, $0.shape) },
      mask: positions.mask.map { Tensor64(repeating: 0, $0.shape) })
    let count = geometry.outputsPerGroup
    var reaching = Array(repeating: 0.0, count: count)
    w.withPointer { w in
      dw.withMutablePointer { dw in
        forEachRead(x) { read in
          for output in 0..<count {
            let isReached = largest.map { $0[read.outputs + output] == read.term } ?? true
            reaching[output] = isReached ? g.values[read.outputs + output] : 0
          }
          let toValue = combination.unfold(
            read.value, w + read.weights, reaching, into: dw + read.weights,
            count: count)
          dPositions.mask?.values[read.slot] += toValue * read.sample
          for neighbour in read.neighbours {
            let position = neighbour.pixel * geometry.inputChannels + read.channel
            let toPosition = toValue * read.factor * x.values[position]
            dx.values[position] += toValue * read.factor * neighbour.weight
            dPositions.offset?.values[2 * read.slot] += toPosition * neighbour.byY
            dPositions.offset?.values[2 * read.slot + 1] += toPosition * neighbour.byX
          }
        }
      }
    }
    return (dx, dw, dPositions)
  }

  /// The gradient to a bias: the sum over all pixels.
  static func biasGradient(_ gradient: Tensor64) -> Tensor64 {
    let channels = gradient.shape[gradient.shape.count - 1]
    var sum = Tensor64(repeating: 0, [channels])
    for (index, value) in gradient.values.enumerated() { sum.values[index % channels] += value }
    return sum
  }

  /// For each output, the number of the first term that attains its maximum.
  private func largestReads(_ x: Tensor64, _ w: Tensor64) -> [Int] {
    let count = geometry.definedOutput(x.shape).reduce(1, *)
    var best = Array(repeating: -Double.infinity, count: count), first = Array(repeating: 0, count: count)
    forEachRead(x) { read in
      for output in 0..<geometry.outputsPerGroup {
        let term = combination.term(read.value, w.values[read.weights + output])
        if term > best[read.outputs + output] {
          best[read.outputs + output] = term
          first[read.outputs + output] = read.term
        }
      }
    }
    return first
  }

  /// What one output pixel reads of one channel at one tap.
  private struct Read {
    /// The value with and without its factor.
    var value: Double, sample: Double
    let factor: Double
    /// The pixels that it is interpolated from, counted over all images.
    let neighbours: [(pixel: Int, weight: Double, byY: Double, byX: Double)]
    let channel: Int
    /// The number of the offset and the factor.
    let slot: Int
    /// The tap and channel, numbered in that order.
    let term: Int
    /// The first of the group's weights and outputs that it is combined with.
    let weights: Int, outputs: Int
  }

  /// Visits every read of every output pixel: tap by tap, channel by channel.
  private func forEachRead(_ x: Tensor64, _ body: (Read) -> Void) {
    let g = geometry, output = g.definedOutput(x.shape), groups = positions.groups(taps: g.taps)
    let channelsPerOffset = g.inputChannels / groups
    for pixel in 0..<output[0] * output[1] * output[2] {
      let (row, column) = (pixel / output[2] % output[1], pixel % output[2])
      let image = pixel / (output[1] * output[2]) * x.shape[1] * x.shape[2]
      for tap in 0..<g.taps {
        let reach = g.reach(ofTap: tap)
        let y = row * g.stride.height - g.padding.top + reach.y
        let left = column * g.stride.width - g.padding.left + reach.x
        for group in 0..<groups {
          let slot = (pixel * groups + group) * g.taps + tap
          let sample = BilinearSample64(
            y: Double(y) + (positions.offset?.values[2 * slot] ?? 0),
            x: Double(left) + (positions.offset?.values[2 * slot + 1] ?? 0), height: x.shape[1],
            width: x.shape[2])
          // On the grid itself a sample is one pixel; the others, of weight 0, matter to learned offsets only.
          let neighbours = sample.neighbours.filter { positions.offset != nil || $0.weight != 0 }
            .map { (pixel: image + $0.pixel, weight: $0.weight, byY: $0.byY, byX: $0.byX) }
          let factor = positions.mask?.values[slot] ?? 1
          for channel in group * channelsPerOffset..<(group + 1) * channelsPerOffset {
            let value = neighbours.reduce(0) {
              $0 + $1.weight * x.values[$1.pixel * g.inputChannels + channel]
            }
            let (block, inner) = channel.quotientAndRemainder(dividingBy: g.channelsPerGroup)
            body(
              Read(
                value: value * factor, sample: value, factor: factor, neighbours: neighbours,
                channel: channel,
                slot: slot, term: tap * g.inputChannels + channel,
                weights: (tap * g.channelsPerGroup + inner) * g.outputChannels + block * g.outputsPerGroup,
                outputs: pixel * g.outputChannels + block * g.outputsPerGroup))
          }
        }
      }
    }
  }
}

extension ConvolutionGeometry {
  /// The output's shape in the definition, for an input that has been checked.
  func definedOutput(_ input: [Int]) -> [Int] {
    let height = input[1] + padding.top + padding.bottom - dilation.height * (kernel.height - 1) - 1
    let width = input[2] + padding.left + padding.right - dilation.width * (kernel.width - 1) - 1
    return [input[0], height / stride.height + 1, width / stride.width + 1, outputChannels]
  }
}

extension Tensor64 {
  fileprivate func withPointer(_ body: (UnsafePointer<Double>) -> Void) {
    values.withUnsafeBufferPointer { if let first = $0.baseAddress { body(first) } }
  }

  fileprivate mutating func withMutablePointer(_ body: (UnsafeMutablePointer<Double>) -> Void) {
    values.withUnsafeMutableBufferPointer { if let first = $0.baseAddress { body(first) } }
  }
}
