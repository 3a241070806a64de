import Compute
import Tensors
import Testing

struct ComputeTests {
  /// Every tail of every tile, exactly: small whole numbers have exact sums.
  @Test(arguments: [1, 2, 5, 6, 7, 11, 12, 13, 30], [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65])
  func indirectGEMMIsExact(_ rows: Int, _ outputs: Int) {
    let channels = 5, taps = 2
    var random = Random(seed: 9)
    let x = integers(rows * taps * channels, &random), w = integers(taps * channels * outputs, &random)
    let packed = w.withPointer {
      PackedWeights(
        groups: 1, taps: taps, channels: channels, outputs: outputs, from: $0, groupStride: 0,
        tapStride: channels * outputs, channelStride: outputs, outputStride: 1)
    }
    for step in TileStep.allCases {
      var y = Tensor(repeating: .nan, [rows * outputs])
      x.withPointer { x in
        y.withMutablePointer { y in
          indirectGEMM(rows: rows, weights: packed, step: step, threads: 2) { range, table in
            for tap in 0..<taps {
              table.setTap(slot: tap, tap)
              for row in range { table.slot(tap)[row - range.lowerBound] = x + (row * taps + tap) * channels }
            }
            for row in range { table.outputRows[row - range.lowerBound] = y + row * outputs }
            return taps
          }
        }
      }
      var wanted = [Float](repeating: step == .largestSum ? -.infinity : 0, count: rows * outputs)
      for row in 0..<rows {
        for depth in 0..<taps * channels {
          for output in 0..<outputs {
            let a = x[row * taps * channels + depth], b = w[depth * outputs + output]
            let index = row * outputs + output
            switch step {
            case .product: wanted[index] += a * b
            case .distance: wanted[index] -= abs(a - b)
            case .squaredDistance: wanted[index] -= (a - b) * (a - b)
            case .maximum: wanted[index] += max(a, b)
            case .largestSum: wanted[index] = max(wanted[index], a + b)
            }
          }
        }
      }
      #expect(y.values == wanted, "\(step)")
    }
  }

  private func integers(_ count: Int, _ random: inout Random) -> Tensor {
    Tensor((0..<count).map { _ in Float(random.below(9) - 4) }, [count])
  }

  @Test(arguments: [0, 1, 5, 100], [1, 2, 3, 7]) func parallelCoversEachIndexOnce(
    _ count: Int, _ threads: Int
  ) {
    var hits = Tensor(repeating: 0, [max(count, 1)])
    hits.withMutablePointer { hits in
      parallel(count, threads: threads) { range in for index in range { hits[index] += 1 } }
    }
    #expect(hits.values.reduce(0, +) == Float(count))
    #expect(hits.values.allSatisfy { $0 <= 1 })
  }

  @Test func fourierInvertsItself() {
    let plan = FourierPlan(size: 8, channels: 3)
    var random = Random(seed: 2)
    // Three channels in pixels of four floats.
    let original = Tensor(
      (0..<plan.tileCount).map { $0 % 4 == 3 ? 0 : Float(random.normal()) }, [plan.tileCount])
    var tile = original, spectrum = Tensor(uninitialized: [plan.spectrumCount])
    tile.withMutablePointer { tile in
      spectrum.withMutablePointer { spectrum in
        plan.transform(tile, 0..<3, spectrum)
        plan.invert(spectrum, 0..<3, tile)
      }
    }
    // Six levels of butterflies on normal numbers: some 1e-7 each.
    for (a, b) in zip(tile.values, original.values) { #expect(abs(a / 64 - b) < 1e-5) }
  }
}
