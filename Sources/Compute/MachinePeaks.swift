/// The measured peaks of this machine, with which other numbers are compared.
package enum MachinePeaks {
  /// Fused multiply–adds of one thread from registers alone, in GFLOP/s (two operations each); the best of
  /// `rounds`.
  package static func multiplyAdd(rounds: Int = 20) -> Double {
    let steps = 200_000, lanes = Vector.scalarCount, accumulators = 12
    var best = 0.0
    for _ in 0..<rounds {
      var sums = (
        Vector.zero, Vector.zero, Vector.zero, Vector.zero, Vector.zero, Vector.zero, Vector.zero,
        Vector.zero,
        Vector.zero, Vector.zero, Vector.zero, Vector.zero
      )
      let a = Vector(repeating: 0.5), b = Vector(repeating: 1e-9)
      let seconds = time {
        for _ in 0..<steps {
          sums.0 = sums.0.fused(sums.0, b)
          sums.1 = sums.1.fused(sums.1, b)
          sums.2 = sums.2.fused(sums.2, b)
          sums.3 = sums.3.fused(sums.3, b)
          sums.4 = sums.4.fused(sums.4, b)
          sums.5 = sums.5.fused(sums.5, b)
          sums.6 = sums.6.fused(sums.6, b)
          sums.7 = sums.7.fused(sums.7, b)
          sums.8 = sums.8.fused(sums.8, a)
          sums.9 = sums.9.fused(sums.9, a)
          sums.10 = sums.10.fused(sums.10, a)
          sums.11 = sums.11.fused(sums.11, a)
        }
      }
      keep(sums.0 + sums.1 + sums.2 + sums.3 + sums.4 + sums.5)
      keep(sums.6 + sums.7 + sums.8 + sums.9 + sums.10 + sums.11)
      best = max(best, Double(2 * steps * accumulators * lanes) / seconds / 1e9)
    }
    return best
  }

  /// Copying between two arrays of 64 MiB, in GB/s read plus written; the best of `rounds`.
  package static func bandwidth(rounds: Int = 5) -> Double {
    let count = 16 << 20
    // Allocated outside the pool of recycled blocks, which would keep them.
    let source = UnsafeMutablePointer<Float>.allocate(capacity: count)
    let target = UnsafeMutablePointer<Float>.allocate(capacity: count)
    defer {
      source.deallocate()
      target.deallocate()
    }
    source.initialize(repeating: 1, count: count)
    target.initialize(repeating: 0, count: count)
    var best = 0.0
    for _ in 0..<rounds {
      let seconds = time { target.update(from: source, count: count) }
      best = max(best, Double(8 * count) / seconds / 1e9)
    }
    return best
  }

  private static func time(_ body: () -> Void) -> Double {
    ContinuousClock().measure(body).seconds
  }

  /// Keeps the optimiser from removing what led to `vector`.
  @inline(never)
  private static func keep(_ vector: Vector) { withExtendedLifetime(vector.sum()) {} }
}
