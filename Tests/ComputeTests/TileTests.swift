import Tensors
import Testing

@testable import Compute

/// Every size of every microkernel against plain loops in Double, on every machine, whatever sizes its full tiles have.
///
/// Small whole numbers have exact sums, so that equality is demanded. Outputs are poisoned with NaN before: one that
/// is not written, or written though it is not the tile's, shows.
struct TileTests {
  private static let widths = (1...TwoVectors.count).filter {
    [1, 3, OneVector.count - 1, OneVector.count, OneVector.count + 1, TwoVectors.count - 1, TwoVectors.count]
      .contains($0)
  }

  @Test(arguments: 1...largestTileRows, TileStep.allCases)
  func pixels(_ count: Int, _ step: TileStep) {
    let memory = Memory(seed: UInt64(count))
    defer { memory.free() }
    let slots = 3, channels = 5
    for columns in Self.widths {
      for channelStep in [1, 3] {
        let single = columns <= OneVector.count, width = single ? OneVector.count : TwoVectors.count
        let x = memory.numbers(count * slots * channels * channelStep)
        let w = memory.numbers(slots * channels * width), bias = memory.numbers(width)
        let residual = memory.numbers(count * 40), y = memory.filled(count * 40, .nan)
        // Pixels that the tile lacks read what its first reads; the slots meet the panel's rows in another order.
        let rows = memory.place(
          (0..<slots * largestTileRows).map { index in
            let (slot, row) = index.quotientAndRemainder(dividingBy: largestTileRows)
            return UnsafePointer(x + ((row < count ? row : 0) * slots + slot) * channels * channelStep)
          })
        let runs = memory.place(
          (0..<slots).map { SlotRun(first: (slots - 1 - $0) * channels, count: channels - $0) })
        let outputs = memory.place((0..<count).map { y + $0 * 40 })
        let epilogue = EpiloguePointers(
          bias: bias, residual: count % 2 == 0 ? residual : nil, output: y,
          relu: count % 3 == 0)
        step.run(
          TileArguments(
            rows: rows, runs: runs, channelStep: channelStep, slots: slots, weights: w, ahead: w,
            aheadStep: 0, bias: bias, outputs: outputs, column: 4, columns: columns, count: count,
            one: 1, epilogue: epilogue),
          single: single)
        for row in 0..<count {
          for column in 0..<40 {
            let output = column - 4
            guard 0..<columns ~= output else {
              #expect(y[row * 40 + column].isNaN, "beside the tile")
              continue
            }
            var sum = step == .largestSum ? -Double.infinity : Double(bias[output])
            for slot in 0..<slots {
              for channel in 0..<runs[slot].count {
                let a = Double(x[((row * slots + slot) * channels + channel) * channelStep])
                let b = Double(w[(runs[slot].first + channel) * width + output])
                switch step {
                case .product: sum += a * b
                case .distance: sum -= abs(a - b)
                case .squaredDistance: sum -= (a - b) * (a - b)
                case .maximum: sum += max(a, b)
                case .largestSum: sum = max(sum, a + b)
                }
              }
            }
            if step == .largestSum { sum += Double(bias[output]) }
            if count % 2 == 0 { sum += Double(residual[row * 40 + column]) }
            if count % 3 == 0 { sum = max(sum, 0) }
            #expect(Double(y[row * 40 + column]) == sum, "\(columns) columns, \(channelStep) apart")
          }
        }
      }
    }
  }

  @Test(arguments: [1, 4, 8, 16], [1, 2, 5, 37]) func weightGradients(_ channels: Int, _ pixels: Int) {
    let memory = Memory(seed: 3)
    defer { memory.free() }
    for single in channels == 16 ? [true] : [true, false] {
      let width = single ? OneVector.count : TwoVectors.count
      let x = memory.numbers(pixels * 20), g = memory.numbers(pixels * width)
      let before = memory.numbers(channels * tileWidth), sums = memory.filled(channels * tileWidth, .nan)
      for index in 0..<channels * tileWidth { sums[index] = before[index] }
      let rows = memory.place((0..<pixels).map { UnsafePointer(x + (pixels - 1 - $0) * 20) })
      WeightTileArguments(
        rows: rows, channel: 3, gradient: g, gradientStep: width, pixels: pixels, sums: sums,
        sumStep: tileWidth
      ).run(channels: channels, single: single)
      for channel in 0..<channels {
        for output in 0..<tileWidth {
          let index = channel * tileWidth + output
          var sum = Double(before[index])
          if output < width {
            for pixel in 0..<pixels {
              sum += Double(x[(pixels - 1 - pixel) * 20 + 3 + channel]) * Double(g[pixel * width + output])
            }
          }
          #expect(Double(sums[index]) == sum, "\(width) outputs")
        }
      }
    }
  }

  @Test(arguments: [4, 8, 16]) func channelCutsAreInOrder(_ largest: Int) {
    for channels in 0...40 {
      let cuts = channelCuts(channels, largest: largest)
      #expect(cuts.flatMap { $0.first..<$0.first + $0.count } == Array(0..<channels))
      #expect(cuts.allSatisfy { [1, 4, 8, 16].contains($0.count) && $0.count <= largest })
    }
  }

  @Test(arguments: 1...12, [1, 3, OneVector.count - 1, OneVector.count]) func complexRows(
    _ count: Int, _ columns: Int
  ) {
    let memory = Memory(seed: 4)
    defer { memory.free() }
    let channels = 5, lanes = OneVector.count
    let x = memory.numbers(count * 2 * channels), w = memory.numbers(channels * 2 * lanes)
    let y = memory.filled(count * 40, .nan)
    let rows = memory.place((0..<12).map { UnsafePointer(x + min($0, count - 1) * 2 * channels) })
    ComplexTileArguments(
      rows: rows, imaginary: channels, channels: channels, weights: w, output: y,
      outputRow: 40, outputImaginary: 20, columns: columns, count: count
    ).run()
    for row in 0..<count {
      for column in 0..<20 {
        var real = 0.0, imaginary = 0.0
        for channel in 0..<channels where column < columns {
          let a = Double(x[row * 2 * channels + channel]), b = Double(x[(row * 2 + 1) * channels + channel])
          let c = Double(w[channel * 2 * lanes + column]), d = Double(w[(channel * 2 + 1) * lanes + column])
          real += a * c - b * d
          imaginary += a * d + b * c
        }
        let places = (y[row * 40 + column], y[row * 40 + 20 + column])
        if column < columns {
          #expect(Double(places.0) == real && Double(places.1) == imaginary)
        } else {
          #expect(places.0.isNaN && places.1.isNaN, "beside the tile")
        }
      }
    }
  }

  @Test(arguments: [8, 16], [1, 3, OneVector.count - 1, OneVector.count]) func slidingPixels(
    _ pixels: Int, _ columns: Int
  ) {
    let memory = Memory(seed: 5)
    defer { memory.free() }
    let channels = 3, lines = 2, lanes = OneVector.count, skipped = pixels / 4
    // Lines of `pixels` and one at each end, and their weights, [line][tap][channel][lane].
    let x = memory.numbers(lines * (pixels + 2) * channels)
    let w = memory.numbers(lines * 3 * channels * lanes), bias = memory.numbers(lanes)
    let y = memory.filled(pixels * 20, .nan)
    let table = memory.place(
      (0..<lines).map { line in
        let first = x + line * (pixels + 2) * channels
        return SlidingLine(
          before: first, inner: first + channels, after: first + (pixels + 1) * channels,
          weights: w + line * 3 * channels * lanes)
      })
    SlidingTileArguments(
      lines: table, count: lines, channels: channels, weightStep: lanes, tapStep: channels * lanes,
      bias: Vector(at: bias), output: y, outputStep: 20, columns: columns, skipped: skipped,
      epilogue: EpiloguePointers()
    ).run(pixels: pixels)
    for pixel in 0..<pixels {
      for column in 0..<20 {
        guard pixel >= skipped, column < columns else {
          #expect(y[pixel * 20 + column].isNaN, "beside the tile")
          continue
        }
        var sum = Double(bias[column])
        for line in 0..<lines {
          for tap in 0..<3 {
            for channel in 0..<channels {
              sum +=
                Double(x[(line * (pixels + 2) + pixel + tap) * channels + channel])
                * Double(w[((line * 3 + tap) * channels + channel) * lanes + column])
            }
          }
        }
        #expect(Double(y[pixel * 20 + column]) == sum)
      }
    }
  }

  @Test(arguments: [1, 4, 8], [1, 3, OneVector.count - 1, OneVector.count]) func slidingWeights(
    _ channels: Int, _ columns: Int
  ) {
    let memory = Memory(seed: 6)
    defer { memory.free() }
    let lines = 2, pixels = 7, lanes = OneVector.count
    let x = memory.numbers(lines * pixels * channels), g = memory.numbers(lines * (pixels + 2) * lanes)
    // [tap][channel][output], with room beside the outputs that must stay as it is.
    let before = memory.numbers(3 * channels * 20), sums = memory.filled(3 * channels * 20, .nan)
    for index in 0..<3 * channels * 20 { sums[index] = before[index] }
    SlidingWeightTileArguments(
      x: x, xLine: pixels * channels, xStep: channels, gradient: g,
      gradientLine: (pixels + 2) * lanes, lines: lines, pixels: pixels, result: sums, channelStep: 20,
      tapStep: channels * 20, columns: columns
    ).run(channels: channels)
    for tap in 0..<3 {
      for channel in 0..<channels {
        for column in 0..<20 {
          let index = (tap * channels + channel) * 20 + column
          var sum = Double(before[index])
          for line in 0..<lines where column < columns {
            for pixel in 0..<pixels {
              // Pixel q meets the gradient of column q + 2 − tap, which is padded by two.
              sum +=
                Double(x[(line * pixels + pixel) * channels + channel])
                * Double(g[(line * (pixels + 2) + pixel + 2 - tap) * lanes + column])
            }
          }
          #expect(Double(sums[index]) == sum)
        }
      }
    }
  }

  @Test(arguments: [(4, false), (8, false), (8, true)]) func depthwisePixels(_ pixels: Int, _ ofThree: Bool) {
    let memory = Memory(seed: 7)
    defer { memory.free() }
    let lanes = OneVector.count, channels = lanes + 3, lines = 2, taps = ofThree ? 3 : 4
    let stride = ofThree ? 1 : 2, width = 30
    let x = memory.numbers(lines * width * channels), w = memory.numbers(lines * taps * channels)
    let bias = memory.numbers(lanes), y = memory.filled(pixels * channels, .nan)
    DepthwiseTileArguments(
      x: x, xStep: stride * channels, tapStep: channels, lineStep: width * channels, weights: w,
      lines: lines, taps: taps, channels: channels, bias: Vector(at: bias), output: y
    ).run(pixels: pixels, ofThree: ofThree)
    for pixel in 0..<pixels {
      for channel in 0..<channels {
        guard channel < lanes else {
          #expect(y[pixel * channels + channel].isNaN, "beside the tile")
          continue
        }
        var sum = Double(bias[channel])
        for line in 0..<lines {
          for tap in 0..<taps {
            sum +=
              Double(x[(line * width + pixel * stride + tap) * channels + channel])
              * Double(w[(line * taps + tap) * channels + channel])
          }
        }
        #expect(Double(y[pixel * channels + channel]) == sum)
      }
    }
  }

  @Test(arguments: [1, 2], [Float(1), .infinity]) func clampedPixels(_ count: Int, _ limit: Float) {
    let memory = Memory(seed: 8)
    defer { memory.free() }
    let slots = 3, depth = 4
    for columns in Self.widths {
      let single = columns <= OneVector.count, width = single ? OneVector.count : TwoVectors.count
      let g = memory.numbers(count * slots * depth), w = memory.numbers(slots * depth * width)
      // x lies after dx, as `input` says.
      let dx = memory.numbers(2 * count * 40)
      for index in 0..<count * 40 { dx[index] = .nan }
      let rows = memory.place(
        (0..<slots * largestTileRows).map { index in
          let (slot, row) = index.quotientAndRemainder(dividingBy: largestTileRows)
          return UnsafePointer(g + ((row < count ? row : 0) * slots + slot) * depth)
        })
      let runs = memory.place((0..<slots).map { SlotRun(first: (slots - 1 - $0) * depth, count: depth) })
      let outputs = memory.place((0..<count).map { dx + $0 * 40 })
      ClampedTileArguments(
        rows: rows, runs: runs, slots: slots, depth: depth, weights: w, outputs: outputs, column: 4,
        input: count * 40, columns: columns, limit: limit, count: count
      ).run(single: single)
      for row in 0..<count {
        for column in 0..<40 {
          guard 0..<columns ~= column - 4 else {
            #expect(dx[row * 40 + column].isNaN, "beside the tile")
            continue
          }
          var sum = 0.0
          for slot in 0..<slots {
            for output in 0..<depth {
              let difference =
                Double(w[(runs[slot].first + output) * width + column - 4])
                - Double(dx[(count + row) * 40 + column])
              let clamped = max(-Double(limit), min(Double(limit), difference))
              sum += clamped * Double(g[(row * slots + slot) * depth + output])
            }
          }
          #expect(Double(dx[row * 40 + column]) == sum)
        }
      }
    }
  }
}

/// Memory that stays at its place until it is freed.
private final class Memory {
  private var random: Random
  private var blocks: [UnsafeMutableRawPointer] = []

  init(seed: UInt64) { random = Random(seed: seed) }

  func free() { for block in blocks { block.deallocate() } }

  func place<Element>(_ elements: [Element]) -> UnsafeMutablePointer<Element> {
    let pointer = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
    pointer.initialize(from: elements, count: elements.count)
    blocks.append(UnsafeMutableRawPointer(pointer))
    return pointer
  }

  func filled(_ count: Int, _ value: Float) -> UnsafeMutablePointer<Float> {
    place(Array(repeating: value, count: count))
  }

  /// Small whole numbers.
  func numbers(_ count: Int) -> UnsafeMutablePointer<Float> {
    place((0..<count).map { _ in Float(random.below(9) - 4) })
  }
}
