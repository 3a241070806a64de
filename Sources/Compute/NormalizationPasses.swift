import Tensors

/// The passes of batch normalisation over `[rows][channels]` (Ioffe and Szegedy, 2015, arXiv:1502.03167), with the
/// ReLU after it where there is one.
package enum NormalizationPasses {
  /// y = scale · x + shift, channel by channel, and max(y, 0) if `relu`.
  package struct Affine: Sendable {
    /// One factor for each channel.
    package var scale: [Float]
    /// One summand for each channel.
    package var shift: [Float]
    /// Whether negative results become zero.
    package var relu: Bool

    /// A function.
    package init(scale: [Float], shift: [Float], relu: Bool = false) {
      self.scale = scale
      self.shift = shift
      self.relu = relu
    }
  }

  /// The mean and the biased variance of each channel, in one pass.
  ///
  /// Values are taken relative to the first row, so that a large mean costs no digits of the variance.
  package static func moments(
    _ x: UnsafePointer<Float>, rows: Int, channels: Int, threads: Int
  ) -> (mean: [Double], variance: [Double]) {
    let sums = channelSums(rows: rows, channels: channels, threads: threads) { offset, channel, lanes in
      let d = Tail.load(x + offset, lanes) - Tail.load(x + channel, lanes)
      return (d, d * d)
    }
    let count = Double(rows)
    let mean = (0..<channels).map { Double(x[$0]) + sums.first[$0] / count }
    let variance = (0..<channels).map {
      max(0, (sums.second[$0] - sums.first[$0] * sums.first[$0] / count) / count)
    }
    return (mean, variance)
  }

  /// y = function(x)
  package static func affine(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ function: Affine, rows: Int, threads: Int
  ) {
    withPointers([function.scale, function.shift]) { p in
      forEachRow(rows, p.channels, threads) { offset, channel, lanes in
        let v = Tail.load(p[1] + channel, lanes).fused(
          Tail.load(x + offset, lanes), Tail.load(p[0] + channel, lanes))
        Tail.store(function.relu ? v.maximum(.zero) : v, y + offset, lanes)
      }
    }
  }

  /// Σ g and Σ g · (x − mean) / deviation of each channel, over the elements that `function`'s ReLU let through.
  package static func gradientSums(
    _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, mean: [Float], inverseDeviation: [Float],
    _ function: Affine, rows: Int, threads: Int
  ) -> (shift: [Double], scale: [Double]) {
    withPointers([mean, inverseDeviation, function.scale, function.shift]) { p in
      let sums = channelSums(rows: rows, channels: p.channels, threads: threads) { offset, channel, lanes in
        let x = Tail.load(x + offset, lanes)
        let g = passed(Tail.load(g + offset, lanes), x, function.relu, p[2] + channel, p[3] + channel, lanes)
        return (g, g * ((x - Tail.load(p[0] + channel, lanes)) * Tail.load(p[1] + channel, lanes)))
      }
      return (sums.first, sums.second)
    }
  }

  /// dx = a · g + b · x + c, channel by channel, with g = 0 where `function`'s ReLU let nothing through: batch
  /// normalisation's gradient to its input has this form.
  package static func inputGradient(
    _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, a: [Float],
    b: [Float], c: [Float], _ function: Affine, rows: Int, threads: Int
  ) {
    withPointers([a, b, c, function.scale, function.shift]) { p in
      forEachRow(rows, p.channels, threads) { offset, channel, lanes in
        let x = Tail.load(x + offset, lanes)
        let g = passed(Tail.load(g + offset, lanes), x, function.relu, p[3] + channel, p[4] + channel, lanes)
        let sum = Tail.load(p[2] + channel, lanes).fused(x, Tail.load(p[1] + channel, lanes))
        Tail.store(sum.fused(g, Tail.load(p[0] + channel, lanes)), dx + offset, lanes)
      }
    }
  }

  /// The gradient before the ReLU, whose decision is computed again as in the forward pass.
  @inline(__always)
  private static func passed(
    _ g: Vector, _ x: Vector, _ relu: Bool, _ scale: UnsafePointer<Float>, _ shift: UnsafePointer<Float>,
    _ lanes: Int
  ) -> Vector {
    guard relu else { return g }
    let y = Tail.load(shift, lanes).fused(x, Tail.load(scale, lanes))
    return Vector.zero.replacing(with: g, where: y .> Vector.zero)
  }

  /// Runs `body` over all vectors of channels of all rows; some rows at a time, so that lines are read in order.
  @inline(__always)
  private static func forEachRow(
    _ rows: Int, _ channels: Int, _ threads: Int,
    _ body: (_ offset: Int, _ channel: Int, _ lanes: Int) -> Void
  ) {
    let block = max(1, 4096 / channels)
    parallel(rows, threads: threads, grain: max(1, 16_384 / channels)) { range in
      for first in stride(from: range.lowerBound, to: range.upperBound, by: block) {
        let count = min(block, range.upperBound &- first)
        for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
          let lanes = min(Vector.scalarCount, channels &- channel)
          var offset = first &* channels &+ channel
          for _ in 0..<count {
            body(offset, channel, lanes)
            offset = offset &+ channels
          }
        }
      }
    }
  }

  /// Pointers to some arrays of one value for each channel.
  private struct ChannelPointers {
    let base: UnsafePointer<Float>
    let channels: Int
    @inline(__always) subscript(_ index: Int) -> UnsafePointer<Float> { base + index &* channels }
  }

  @inline(__always)
  private static func withPointers<Result>(_ arrays: [[Float]], _ body: (ChannelPointers) -> Result) -> Result
  {
    let joined = Tensor(arrays.flatMap { $0 }, [arrays.count * arrays[0].count])
    return joined.withPointer { body(ChannelPointers(base: $0, channels: arrays[0].count)) }
  }
}
