import Tensors

/// The passes of batch normalisation over `[rows][channels]` (Ioffe and Szegedy, 2015, arXiv:1502.03167), optionally
/// with the ReLU after it, or the residual sum and its ReLU.
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
  /// Values are taken relative to the first row, so that a large mean does not make the variance inaccurate.
  package static func moments(
    _ x: UnsafePointer<Float>, rows: Int, channels: Int, threads: Int
  ) -> (mean: [Double], variance: [Double]) {
    let sums = channelSums(MomentTerms.self, x, rows: rows, channels: channels, threads: threads)
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
      let least = Vector(repeating: function.relu ? 0 : -.infinity)
      parallel(rows, threads: threads, grain: max(1, 16_384 / p.channels)) { range in
        apply(AffineMap(x: x, y: y, p: p, least: least), range, p.channels)
      }
    }
  }

  /// y = max(function(x) + residual, 0), or max(function(x) + residualFunction(residual), 0). Neither function has a
  /// ReLU of its own.
  package static func rectifiedSum(
    _ x: UnsafePointer<Float>, _ function: Affine, _ residual: UnsafePointer<Float>,
    _ residualFunction: Affine?, _ y: UnsafeMutablePointer<Float>, rows: Int, threads: Int
  ) {
    let other = residualFunction ?? function
    withPointers([function.scale, function.shift, other.scale, other.shift]) { p in
      parallel(rows, threads: threads, grain: max(1, 16_384 / p.channels)) { range in
        if residualFunction == nil {
          apply(RectifiedSum(x: x, residual: residual, y: y, p: p), range, p.channels)
        } else {
          apply(RectifiedSumOfTwo(x: x, residual: residual, y: y, p: p), range, p.channels)
        }
      }
    }
  }

  /// Σ g and Σ g · (x − mean) / deviation of each channel, over the elements that `function`'s ReLU let through.
  package static func gradientSums(
    _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, mean: [Float], inverseDeviation: [Float],
    _ function: Affine, rows: Int, threads: Int
  ) -> (shift: [Double], scale: [Double]) {
    withPointers([mean, inverseDeviation, function.scale, function.shift]) { p in
      let operands = GradientOperands(x: x, g: g, p: p)
      let sums =
        function.relu
        ? channelSums(
          GradientTerms<ReLUOfInput>.self, operands, rows: rows, channels: p.channels, threads: threads)
        : channelSums(
          GradientTerms<NoReLU>.self, operands, rows: rows, channels: p.channels, threads: threads)
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
      parallel(rows, threads: threads, grain: max(1, 16_384 / p.channels)) { range in
        if function.relu {
          apply(GradientMap<ReLUOfInput>(x: x, g: g, dx: dx, p: p), range, p.channels)
        } else {
          apply(GradientMap<NoReLU>(x: x, g: g, dx: dx, p: p), range, p.channels)
        }
      }
    }
  }

  /// Runs a function over all vectors of channels of some rows.
  @inline(never)
  private static func apply<Map: ChannelMap>(_ map: Map, _ rows: Range<Int>, _ channels: Int) {
    let whole = channels / Vector.scalarCount * Vector.scalarCount
    var offset = rows.lowerBound &* channels
    for _ in rows {
      var channel = 0
      while channel < whole {
        map.apply(offset &+ channel, channel, Vector.scalarCount)
        channel &+= Vector.scalarCount
      }
      if whole < channels { map.apply(offset &+ whole, whole, channels &- whole) }
      offset &+= channels
    }
  }

  @inline(__always)
  private static func withPointers<Result>(_ arrays: [[Float]], _ body: (ChannelPointers) -> Result) -> Result
  {
    let joined = Tensor(arrays.flatMap { $0 }, [arrays.count * arrays[0].count])
    return joined.withPointer { body(ChannelPointers(base: $0, channels: arrays[0].count)) }
  }
}

/// Pointers to some arrays of one value for each channel.
private struct ChannelPointers {
  let base: UnsafePointer<Float>
  let channels: Int
  @inline(__always) subscript(_ index: Int) -> UnsafePointer<Float> { base + index &* channels }
}

/// The elements relative to the first row, and their squares.
private struct MomentTerms: ChannelTerms {
  private let x: UnsafePointer<Float>, origin: Vector

  @inline(__always) init(_ x: UnsafePointer<Float>, channel: Int, lanes: Int) {
    self.x = x
    origin = Tail.load(x + channel, lanes)
  }

  @inline(__always) func terms(_ offset: Int, _ lanes: Int) -> (Vector, Vector) {
    let d = Tail.load(x + offset, lanes) - origin
    return (d, d * d)
  }
}

/// The ReLU after a normalisation, if there is one, in the backward pass.
private protocol Rectifier {
  init(_ scale: UnsafePointer<Float>, _ shift: UnsafePointer<Float>, _ lanes: Int)
  /// The gradient to its input.
  func passed(_ g: Vector, _ x: Vector) -> Vector
}

private struct NoReLU: Rectifier {
  @inline(__always) init(_ scale: UnsafePointer<Float>, _ shift: UnsafePointer<Float>, _ lanes: Int) {}
  @inline(__always) func passed(_ g: Vector, _ x: Vector) -> Vector { g }
}

/// Its decision is computed again from the normalisation's input, as in the forward pass.
private struct ReLUOfInput: Rectifier {
  private let scale: Vector, shift: Vector

  @inline(__always) init(_ scale: UnsafePointer<Float>, _ shift: UnsafePointer<Float>, _ lanes: Int) {
    self.scale = Tail.load(scale, lanes)
    self.shift = Tail.load(shift, lanes)
  }

  @inline(__always) func passed(_ g: Vector, _ x: Vector) -> Vector {
    Vector.zero.replacing(with: g, where: shift.fused(x, scale) .> Vector.zero)
  }
}

/// `p`: mean, inverse deviation, scale, shift.
private struct GradientOperands {
  let x: UnsafePointer<Float>, g: UnsafePointer<Float>
  let p: ChannelPointers
}

/// g, and g times the normalised x.
private struct GradientTerms<ReLU: Rectifier>: ChannelTerms {
  private let x: UnsafePointer<Float>, g: UnsafePointer<Float>
  private let mean: Vector, inverseDeviation: Vector
  private let relu: ReLU

  @inline(__always) init(_ operands: GradientOperands, channel: Int, lanes: Int) {
    let p = operands.p
    x = operands.x
    g = operands.g
    mean = Tail.load(p[0] + channel, lanes)
    inverseDeviation = Tail.load(p[1] + channel, lanes)
    relu = ReLU(p[2] + channel, p[3] + channel, lanes)
  }

  @inline(__always) func terms(_ offset: Int, _ lanes: Int) -> (Vector, Vector) {
    let x = Tail.load(x + offset, lanes)
    let g = relu.passed(Tail.load(g + offset, lanes), x)
    return (g, g * ((x - mean) * inverseDeviation))
  }
}

/// A function of each element of `[rows][channels]`.
private protocol ChannelMap {
  func apply(_ offset: Int, _ channel: Int, _ lanes: Int)
}

extension ChannelPointers {
  /// `self[first] · x + self[first + 1]`
  @inline(__always)
  func affine(_ first: Int, _ x: UnsafePointer<Float>, _ channel: Int, _ lanes: Int) -> Vector {
    Tail.load(self[first + 1] + channel, lanes).fused(
      Tail.load(x, lanes), Tail.load(self[first] + channel, lanes))
  }
}

/// y = max(scale · x + shift, least); NaN stays. `p`: scale, shift.
private struct AffineMap: ChannelMap {
  let x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
  let p: ChannelPointers
  let least: Vector

  @inline(__always) func apply(_ offset: Int, _ channel: Int, _ lanes: Int) {
    Tail.store(p.affine(0, x + offset, channel, lanes).maximum(least), y + offset, lanes)
  }
}

/// y = max(scale · x + shift + residual, 0). `p`: scale, shift.
private struct RectifiedSum: ChannelMap {
  let x: UnsafePointer<Float>, residual: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
  let p: ChannelPointers

  @inline(__always) func apply(_ offset: Int, _ channel: Int, _ lanes: Int) {
    let v = p.affine(0, x + offset, channel, lanes)
    Tail.store((v + Tail.load(residual + offset, lanes)).maximum(.zero), y + offset, lanes)
  }
}

/// The same with a function of the residual. `p`: scale, shift, the residual's.
private struct RectifiedSumOfTwo: ChannelMap {
  let x: UnsafePointer<Float>, residual: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
  let p: ChannelPointers

  @inline(__always) func apply(_ offset: Int, _ channel: Int, _ lanes: Int) {
    let v = p.affine(0, x + offset, channel, lanes), w = p.affine(2, residual + offset, channel, lanes)
    Tail.store((v + w).maximum(.zero), y + offset, lanes)
  }
}

/// dx = a · g + b · x + c. `p`: a, b, c, scale, shift.
private struct GradientMap<ReLU: Rectifier>: ChannelMap {
  let x: UnsafePointer<Float>, g: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>
  let p: ChannelPointers

  @inline(__always) func apply(_ offset: Int, _ channel: Int, _ lanes: Int) {
    let x = Tail.load(x + offset, lanes)
    let g = ReLU(p[3] + channel, p[4] + channel, lanes).passed(Tail.load(g + offset, lanes), x)
    let sum = Tail.load(p[2] + channel, lanes).fused(x, Tail.load(p[1] + channel, lanes))
    Tail.store(sum.fused(g, Tail.load(p[0] + channel, lanes)), dx + offset, lanes)
  }
}
