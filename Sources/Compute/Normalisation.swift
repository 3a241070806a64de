import Tensors

/// The passes of batch normalisation over `[rows][channels]` (Ioffe and Szegedy, 2015, arXiv:1502.03167).
public enum Normalisation {
  /// The mean and the biased variance of each channel, in two passes.
  public static func moments(
    _ x: UnsafePointer<Float>, rows: Int, channels: Int, threads: Int
  ) -> (mean: [Double], variance: [Double]) {
    let mean = channelSum(x, rows: rows, channels: channels, threads: threads).map { $0 / Double(rows) }
    let centre = mean.map(Float.init)
    let sums = centre.withUnsafeBufferPointer { centre in
      channelSums(rows: rows, channels: channels, threads: threads) { offset, channel, lanes in
        let d =
          Tail.load(x + offset, lanes)
          - Tail.load(centre.baseAddress.unsafelyUnwrapped + channel, lanes)
        return (d * d, d)
      }
    }
    // The mean was rounded to single precision: Σd is what that left over.
    let variance = zip(sums.first, sums.second).map { squares, rest in
      max(0, (squares - rest * rest / Double(rows)) / Double(rows))
    }
    return (mean, variance)
  }

  /// y = x · scale + shift, channel by channel.
  public static func affine(
    _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, scale: [Float], shift: [Float], rows: Int,
    threads: Int
  ) {
    let channels = scale.count
    scale.withUnsafeBufferPointer { scale in
      shift.withUnsafeBufferPointer { shift in
        guard let scale = scale.baseAddress, let shift = shift.baseAddress else { return }
        parallel(rows, threads: threads, grain: max(1, 16_384 / channels)) { range in
          for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
            let lanes = min(Vector.scalarCount, channels - channel)
            let a = Tail.load(scale + channel, lanes), b = Tail.load(shift + channel, lanes)
            var offset = range.lowerBound * channels + channel
            for _ in 0..<range.count {
              Tail.store(b.fused(Tail.load(x + offset, lanes), a), y + offset, lanes)
              offset = offset &+ channels
            }
          }
        }
      }
    }
  }

  /// Σ g and Σ g · (x − mean) / deviation of each channel.
  public static func gradientSums(
    _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, mean: [Float], inverseDeviation: [Float], rows: Int,
    threads: Int
  ) -> (shift: [Double], scale: [Double]) {
    let channels = mean.count
    return mean.withUnsafeBufferPointer { mean in
      inverseDeviation.withUnsafeBufferPointer { inverse in
        let mean = mean.baseAddress.unsafelyUnwrapped, inverse = inverse.baseAddress.unsafelyUnwrapped
        let sums = channelSums(rows: rows, channels: channels, threads: threads) { offset, channel, lanes in
          let g = Tail.load(g + offset, lanes)
          let x =
            (Tail.load(x + offset, lanes) - Tail.load(mean + channel, lanes))
            * Tail.load(inverse + channel, lanes)
          return (g, g * x)
        }
        return (sums.first, sums.second)
      }
    }
  }

  /// dx = a · g + b · x + c, channel by channel: batch normalisation's gradient to its input has this form.
  public static func inputGradient(
    _ x: UnsafePointer<Float>, _ g: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>, a: [Float],
    b: [Float], c: [Float], rows: Int, threads: Int
  ) {
    let channels = a.count
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        c.withUnsafeBufferPointer { c in
          guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
          parallel(rows, threads: threads, grain: max(1, 16_384 / channels)) { range in
            for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
              let lanes = min(Vector.scalarCount, channels - channel)
              let a = Tail.load(a + channel, lanes), b = Tail.load(b + channel, lanes)
              let c = Tail.load(c + channel, lanes)
              var offset = range.lowerBound * channels + channel
              for _ in 0..<range.count {
                let sum = c.fused(Tail.load(x + offset, lanes), b).fused(Tail.load(g + offset, lanes), a)
                Tail.store(sum, dx + offset, lanes)
                offset = offset &+ channels
              }
            }
          }
        }
      }
    }
  }
}
