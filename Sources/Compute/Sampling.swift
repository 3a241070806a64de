import Tensors

/// Where one bilinear sample reads: up to four neighbours and their weights.
///
/// Missing neighbours point to a row of zeros, so that every sample is four multiply–adds per channel. A sample
/// exists while −1 < y < height and −1 < x < width (Dai et al., 2017, arXiv:1703.06211, as torchvision has it).
public struct BilinearSample {
  /// The rows of the neighbours: top left, top right, bottom left, bottom right; nil where there is none.
  public var offsets: (Int?, Int?, Int?, Int?)
  /// The vertical and horizontal fractions.
  public var fraction: (y: Float, x: Float)

  /// The sample at (y, x) of an image whose pixels are `channels` floats wide, or nil outside.
  @inline(__always)
  public init?(y: Float, x: Float, height: Int, width: Int, channels: Int) {
    guard y > -1, x > -1, y < Float(height), x < Float(width) else { return nil }
    let top = y.rounded(.down), left = x.rounded(.down)
    fraction = (y - top, x - left)
    let row = Int(top), column = Int(left)
    let hasTop = row >= 0, hasBottom = row + 1 < height, hasLeft = column >= 0, hasRight = column + 1 < width
    let first = (row * width + column) * channels
    offsets = (
      hasTop && hasLeft ? first : nil, hasTop && hasRight ? first + channels : nil,
      hasBottom && hasLeft ? first + width * channels : nil,
      hasBottom && hasRight ? first + (width + 1) * channels : nil
    )
  }

  /// The bilinear weights of the four neighbours.
  @inline(__always)
  public var weights: (Float, Float, Float, Float) {
    let (y, x) = fraction
    return ((1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x)
  }
}

/// Interpolation over rows of channels: what deformable operators do beside the indirect GEMM.
public enum Sampling {
  /// Writes `scale` times a bilinear sample of `channels` channels.
  public static func interpolate(
    _ image: UnsafePointer<Float>, _ sample: BilinearSample?, scale: Float, zeros: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>, channels: Int
  ) {
    guard let sample else {
      target.update(repeating: 0, count: channels)
      return
    }
    let w = sample.weights, o = sample.offsets
    let p0 = o.0.map { image + $0 } ?? zeros, p1 = o.1.map { image + $0 } ?? zeros
    let p2 = o.2.map { image + $0 } ?? zeros, p3 = o.3.map { image + $0 } ?? zeros
    let (w0, w1, w2, w3) = (w.0 * scale, w.1 * scale, w.2 * scale, w.3 * scale)
    for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
      let lanes = channels &- channel
      var sum = Tail.load(p0 + channel, lanes) * w0
      sum = sum.fused(Tail.load(p1 + channel, lanes), Vector(repeating: w1))
      sum = sum.fused(Tail.load(p2 + channel, lanes), Vector(repeating: w2))
      sum = sum.fused(Tail.load(p3 + channel, lanes), Vector(repeating: w3))
      Tail.store(sum, target + channel, lanes)
    }
  }

  /// Adds a column's gradient, `scale` · g, to the four neighbours of its sample.
  public static func scatter(
    _ g: UnsafePointer<Float>, _ sample: BilinearSample, scale: Float,
    into image: UnsafeMutablePointer<Float>,
    channels: Range<Int>
  ) {
    let w = sample.weights, o = sample.offsets
    for (offset, weight) in [(o.0, w.0), (o.1, w.1), (o.2, w.2), (o.3, w.3)] {
      guard let offset else { continue }
      let target = image + offset, factor = Vector(repeating: weight * scale)
      for channel in stride(from: channels.lowerBound, to: channels.upperBound, by: Vector.scalarCount) {
        let lanes = channels.upperBound &- channel
        let sum = Tail.load(target + channel, lanes).fused(Tail.load(g + channel, lanes), factor)
        Tail.store(sum, target + channel, lanes)
      }
    }
  }

  /// The inner products of g with the four neighbours, over `channels` channels.
  public static func products(
    _ g: UnsafePointer<Float>, _ image: UnsafePointer<Float>, _ sample: BilinearSample,
    zeros: UnsafePointer<Float>, channels: Int
  ) -> (Float, Float, Float, Float) {
    let o = sample.offsets
    let p0 = o.0.map { image + $0 } ?? zeros, p1 = o.1.map { image + $0 } ?? zeros
    let p2 = o.2.map { image + $0 } ?? zeros, p3 = o.3.map { image + $0 } ?? zeros
    var s0 = Vector.zero, s1 = Vector.zero, s2 = Vector.zero, s3 = Vector.zero
    for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
      let lanes = channels &- channel
      let g = Tail.load(g + channel, lanes)
      s0 = s0.fused(g, Tail.load(p0 + channel, lanes))
      s1 = s1.fused(g, Tail.load(p1 + channel, lanes))
      s2 = s2.fused(g, Tail.load(p2 + channel, lanes))
      s3 = s3.fused(g, Tail.load(p3 + channel, lanes))
    }
    return (s0.sum(), s1.sum(), s2.sum(), s3.sum())
  }
}
