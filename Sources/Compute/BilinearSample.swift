import Tensors

/// Where one bilinear sample reads: up to four neighbours and their weights.
///
/// Missing neighbours point to a row of zeros, so that every sample is four multiply–adds per channel. A sample
/// exists while −1 < y < height and −1 < x < width (Dai et al., 2017, arXiv:1703.06211, as torchvision has it).
public struct BilinearSample {
  /// Where the neighbours' rows start: top left, top right, bottom left, bottom right; −1 where there is none.
  public var offsets: SIMD4<Int32>
  /// The vertical and horizontal fractions.
  public var fraction: (y: Float, x: Float)

  /// The sample at (y, x) of an image of fewer than 2³¹ floats whose pixels are `channels` wide; one outside has no
  /// neighbours.
  @inline(__always)
  public init(y: Float, x: Float, height: Int32, width: Int32, channels: Int32) {
    guard y > -1, x > -1, y < Float(height), x < Float(width) else {
      fraction = (0, 0)
      offsets = SIMD4(repeating: -1)
      return
    }
    // Rounded down: truncation, except for the numbers between −1 and 0.
    let top = y < 0 ? -1 : Int32(y), left = x < 0 ? -1 : Int32(x)
    fraction = (y - Float(top), x - Float(left))
    let right = channels, down = width &* channels
    let first = top &* down &+ left &* right
    let all = SIMD4(first, first &+ right, first &+ down, first &+ down &+ right)
    // Most have all four.
    if top >= 0, left >= 0, top &+ 1 < height, left &+ 1 < width {
      offsets = all
      return
    }
    let vertical = SIMD4(top, top, top &+ 1, top &+ 1), horizontal = SIMD4(left, left &+ 1, left, left &+ 1)
    let isInside =
      (vertical .>= 0) .& (vertical .< SIMD4(repeating: height)) .& (horizontal .>= 0)
      .& (horizontal .< SIMD4(repeating: width))
    offsets = SIMD4(repeating: -1).replacing(with: all, where: isInside)
  }

  /// The row of a neighbour, or zeros.
  @inline(__always)
  func row(_ index: Int, _ image: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>) -> UnsafePointer<Float>
  {
    offsets[index] < 0 ? zeros : image + Int(offsets[index])
  }

  /// The bilinear weights of the four neighbours.
  @inline(__always)
  public var weights: (Float, Float, Float, Float) {
    let (y, x) = fraction
    return ((1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x)
  }
}

/// A sample's four rows of channels, and their weights times a factor in every lane.
private struct Neighbours {
  let p0, p1, p2, p3: UnsafePointer<Float>
  let w0, w1, w2, w3: Vector

  @inline(__always)
  init(
    _ image: UnsafePointer<Float>, _ sample: BilinearSample, _ scale: Float, _ zeros: UnsafePointer<Float>
  ) {
    let w = sample.weights
    (p0, p1) = (sample.row(0, image, zeros), sample.row(1, image, zeros))
    (p2, p3) = (sample.row(2, image, zeros), sample.row(3, image, zeros))
    (w0, w1) = (Vector(repeating: w.0 * scale), Vector(repeating: w.1 * scale))
    (w2, w3) = (Vector(repeating: w.2 * scale), Vector(repeating: w.3 * scale))
  }
}

/// Interpolation over rows of channels: what deformable operators do in addition to the indirect GEMM.
public enum BilinearSampling {
  /// Writes `scale` times a bilinear sample of `channels` channels.
  public static func interpolate(
    _ image: UnsafePointer<Float>, _ sample: BilinearSample, scale: Float, zeros: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>, channels: Int
  ) {
    let n = Neighbours(image, sample, scale, zeros)
    var channel = 0
    while channel &+ Vector.scalarCount <= channels {
      let sum = (Vector(at: n.p0 + channel) * n.w0).fused(Vector(at: n.p1 + channel), n.w1)
      sum.fused(Vector(at: n.p2 + channel), n.w2).fused(Vector(at: n.p3 + channel), n.w3)
        .store(target + channel)
      channel = channel &+ Vector.scalarCount
    }
    if channel < channels {
      let lanes = channels &- channel
      let sum = (Tail.load(n.p0 + channel, lanes) * n.w0).fused(Tail.load(n.p1 + channel, lanes), n.w1)
      Tail.store(
        sum.fused(Tail.load(n.p2 + channel, lanes), n.w2).fused(Tail.load(n.p3 + channel, lanes), n.w3),
        target + channel,
        lanes)
    }
  }

  /// Adds `scale` times a bilinear sample of `channels` channels to the target.
  public static func accumulate(
    _ image: UnsafePointer<Float>, _ sample: BilinearSample, scale: Float, zeros: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>, channels: Int
  ) {
    let n = Neighbours(image, sample, scale, zeros)
    for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
      let lanes = channels &- channel
      let sum = Tail.load(target + channel, lanes).fused(Tail.load(n.p0 + channel, lanes), n.w0)
        .fused(Tail.load(n.p1 + channel, lanes), n.w1).fused(Tail.load(n.p2 + channel, lanes), n.w2)
      Tail.store(sum.fused(Tail.load(n.p3 + channel, lanes), n.w3), target + channel, lanes)
    }
  }

  /// Adds a column's gradient, `scale` · g, to the four neighbours of its sample.
  public static func scatter(
    _ g: UnsafePointer<Float>, _ sample: BilinearSample, scale: Float,
    into image: UnsafeMutablePointer<Float>,
    channels: Range<Int>
  ) {
    let weights = sample.weights
    for (index, weight) in [weights.0, weights.1, weights.2, weights.3].enumerated() {
      guard sample.offsets[index] >= 0 else { continue }
      let target = image + Int(sample.offsets[index]), factor = Vector(repeating: weight * scale)
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
    let p0 = sample.row(0, image, zeros), p1 = sample.row(1, image, zeros)
    let p2 = sample.row(2, image, zeros), p3 = sample.row(3, image, zeros)
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
