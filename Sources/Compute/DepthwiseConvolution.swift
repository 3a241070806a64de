import Tensors

/// A convolution in which each channel has its own window.
package struct DepthwiseShape: Sendable {
  let input: FeatureShape, output: FeatureShape
  let kernel: (height: Int, width: Int), stride: (height: Int, width: Int),
    dilation: (height: Int, width: Int)
  let top: Int, left: Int

  /// - Parameters:
  ///   - top: rows of padding above; may be negative.
  ///   - left: columns of padding on the left; may be negative.
  package init(
    input: FeatureShape, output: FeatureShape, kernel: (height: Int, width: Int),
    stride: (height: Int, width: Int), dilation: (height: Int, width: Int), top: Int, left: Int
  ) {
    self.input = input
    self.output = output
    self.kernel = kernel
    self.stride = stride
    self.dilation = dilation
    self.top = top
    self.left = left
  }

  /// The taps of one axis that are inside the image, for an output at `first` = index · stride − padding.
  @inline(__always)
  static func taps(_ first: Int, _ dilation: Int, _ kernel: Int, _ extent: Int) -> Range<Int> {
    let lower = first >= 0 ? 0 : (dilation &- 1 &- first) / dilation
    let upper = first >= extent ? 0 : (extent &- 1 &- first) / dilation &+ 1
    return min(lower, kernel)..<max(min(upper, kernel), min(lower, kernel))
  }
}

/// Depthwise convolution, vectorised over channels.
package enum DepthwiseConvolution {
  /// y[p, c] = epilogue(Σ over taps of x[p · stride + t · dilation − padding, c] · w[t, c]); `w` is `[tap][channel]`.
  ///
  /// - Parameter lines: the rows of the output, counted through the batch, that are computed; by default all.
  package static func forward(
    _ shape: DepthwiseShape, x: UnsafePointer<Float>, weights w: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, epilogue: EpiloguePointers, lines: Range<Int>? = nil, threads: Int
  ) {
    let output = shape.output, channels = output.channels
    // Pixels whose whole window is inside horizontally.
    let reach = shape.dilation.width * (shape.kernel.width - 1)
    let inner = (shape.left + shape.stride.width - 1) / shape.stride.width
    let last = (shape.input.width + shape.left - reach - 1) / shape.stride.width
    let inside =
      min(
        max(inner, 0), output.width)..<max(
        min(shape.input.width + shape.left - reach >= 1 ? last + 1 : 0, output.width),
        min(max(inner, 0), output.width))
    let isThree = shape.kernel.width == 3 && shape.stride.width == 1 && shape.dilation.width == 1
    let all = lines ?? 0..<output.batch * output.height
    parallel(all.count, threads: threads) { own in
      for line in all.dropFirst(own.lowerBound).prefix(own.count) {
        let (image, row) = line.quotientAndRemainder(dividingBy: output.height)
        let first = row * shape.stride.height - shape.top
        let rows = DepthwiseShape.taps(first, shape.dilation.height, shape.kernel.height, shape.input.height)
        let source = Line(
          x: x + (image * shape.input.height + first) * shape.input.width * channels, w: w, rows: rows,
          y: y + line * output.width * channels, shape: shape, channels: channels, epilogue: epilogue)
        source.pixels(0..<inside.lowerBound)
        if inside.count >= 4 {
          // The last tile overlaps the one before it, and computes some pixels again.
          let step = inside.count >= 8 ? 8 : 4
          for column in Swift.stride(from: inside.lowerBound, to: inside.upperBound, by: step) {
            source.tiles(min(column, inside.upperBound &- step), pixels: step, ofThree: isThree)
          }
        } else {
          source.pixels(inside)
        }
        source.pixels(inside.upperBound..<output.width)
      }
    }
  }

  /// dx from g: for each input pixel the taps and outputs that read it.
  package static func inputGradient(
    _ shape: DepthwiseShape, g: UnsafePointer<Float>, weights w: UnsafePointer<Float>,
    dx: UnsafeMutablePointer<Float>, threads: Int
  ) {
    let input = shape.input, output = shape.output, channels = input.channels
    parallel(input.batch * input.height, threads: threads) { lines in
      for line in lines {
        let (image, row) = line.quotientAndRemainder(dividingBy: input.height)
        for column in 0..<input.width {
          let target = dx + (line * input.width + column) * channels
          target.update(repeating: 0, count: channels)
          for tapRow in 0..<shape.kernel.height {
            let y = row + shape.top - tapRow * shape.dilation.height
            guard y >= 0, y % shape.stride.height == 0, y / shape.stride.height < output.height else {
              continue
            }
            for tapColumn in 0..<shape.kernel.width {
              let x = column + shape.left - tapColumn * shape.dilation.width
              guard x >= 0, x % shape.stride.width == 0, x / shape.stride.width < output.width else {
                continue
              }
              let pixel =
                (image * output.height + y / shape.stride.height) * output.width + x / shape.stride.width
              let source = g + pixel * channels
              let weight = w + (tapRow * shape.kernel.width + tapColumn) * channels
              for channel in Swift.stride(from: 0, to: channels, by: Vector.scalarCount) {
                let lanes = channels &- channel
                let sum = Tail.load(target + channel, lanes)
                  .fused(Tail.load(source + channel, lanes), Tail.load(weight + channel, lanes))
                Tail.store(sum, target + channel, lanes)
              }
            }
          }
        }
      }
    }
  }

  /// dw[t, c] = Σ over images and pixels of x[p · stride + t · dilation − padding, c] · g[p, c].
  ///
  /// Each weight is summed by one thread, row of outputs by row.
  package static func weightGradient(
    _ shape: DepthwiseShape, x: UnsafePointer<Float>, g: UnsafePointer<Float>,
    dw: UnsafeMutablePointer<Float>,
    threads: Int
  ) {
    let input = shape.input, output = shape.output, channels = input.channels
    dw.update(repeating: 0, count: shape.kernel.height * shape.kernel.width * channels)
    let blocks = (channels + Vector.scalarCount - 1) / Vector.scalarCount
    parallel(blocks, threads: threads) { range in
      for block in range {
        let channel = block * Vector.scalarCount, lanes = channels - channel
        for line in 0..<output.batch * output.height {
          let (image, row) = line.quotientAndRemainder(dividingBy: output.height)
          let first = row * shape.stride.height - shape.top
          let gradient = g + (line * output.width * channels + channel)
          for tapRow in DepthwiseShape.taps(first, shape.dilation.height, shape.kernel.height, input.height) {
            let sourceRow = image * input.height + first + tapRow * shape.dilation.height
            let source = x + (sourceRow * input.width * channels + channel)
            for tapColumn in 0..<shape.kernel.width {
              // The outputs whose tap is inside.
              let offset = tapColumn * shape.dilation.width - shape.left
              let lower = offset >= 0 ? 0 : (shape.stride.width - 1 - offset) / shape.stride.width
              let upper = min(
                output.width, offset >= input.width ? 0 : (input.width - 1 - offset) / shape.stride.width + 1)
              guard lower < upper else { continue }
              let sum = products(
                gradient + lower * channels, source + (lower * shape.stride.width + offset) * channels,
                count: upper - lower, gStep: channels, xStep: shape.stride.width * channels, lanes)
              let target = dw + ((tapRow * shape.kernel.width + tapColumn) * channels + channel)
              Tail.store(Tail.load(target, lanes) + sum, target, lanes)
            }
          }
        }
      }
    }
  }

  /// Σ g · x over pixels, for a vector of channels.
  @inline(__always)
  private static func products(
    _ g: UnsafePointer<Float>, _ x: UnsafePointer<Float>, count: Int, gStep: Int, xStep: Int, _ lanes: Int
  ) -> Vector {
    var s0 = Vector.zero, s1 = Vector.zero, s2 = Vector.zero, s3 = Vector.zero
    var g = g, x = x, rest = count
    if lanes >= Vector.scalarCount {
      while rest >= 4 {
        s0 = s0.fused(Vector(at: g), Vector(at: x))
        s1 = s1.fused(Vector(at: g + gStep), Vector(at: x + xStep))
        s2 = s2.fused(Vector(at: g + 2 &* gStep), Vector(at: x + 2 &* xStep))
        s3 = s3.fused(Vector(at: g + 3 &* gStep), Vector(at: x + 3 &* xStep))
        g += 4 &* gStep
        x += 4 &* xStep
        rest &-= 4
      }
    }
    while rest > 0 {
      s0 = s0.fused(Tail.load(g, lanes), Tail.load(x, lanes))
      g += gStep
      x += xStep
      rest &-= 1
    }
    return (s0 + s1) + (s2 + s3)
  }

  /// One row of outputs.
  private struct Line {
    /// Where the first tap of the window's first row would read without padding on the left.
    let x: UnsafePointer<Float>
    let w: UnsafePointer<Float>
    /// The rows of the window that lie inside.
    let rows: Range<Int>
    let y: UnsafeMutablePointer<Float>
    let shape: DepthwiseShape
    let channels: Int
    let epilogue: EpiloguePointers

    /// Pixels, possibly at a border, one by one.
    func pixels(_ columns: Range<Int>) {
      for column in columns {
        let first = column &* shape.stride.width &- shape.left
        let taps = DepthwiseShape.taps(first, shape.dilation.width, shape.kernel.width, shape.input.width)
        for channel in vectors { one(column, channel, min(channels, Vector.scalarCount), taps) }
        finish(column, pixels: 1)
      }
    }

    /// Pixels from `column` on whose whole windows lie inside horizontally.
    func tiles(_ column: Int, pixels: Int, ofThree: Bool) {
      if channels >= Vector.scalarCount {
        let first = tile(column)
        for channel in vectors {
          var tile = first
          tile.x += channel
          tile.weights += channel
          tile.output += channel
          tile.bias = bias(channel, Vector.scalarCount)
          tile.run(pixels: pixels, ofThree: ofThree)
        }
        finish(column, pixels: pixels)
      } else {
        self.pixels(column..<column &+ pixels)
      }
    }

    /// Applies an epilogue with a residual to pixels whose sums are stored.
    private func finish(_ column: Int, pixels: Int) {
      if epilogue.hasResidual { epilogue.finish(y + column &* channels, pixels &* channels) }
    }

    /// The first channel of each vector. The last vector overlaps the one before it, if there is one.
    private var vectors: LazyMapSequence<StrideTo<Int>, Int> {
      let last = max(channels &- Vector.scalarCount, 0)
      return Swift.stride(from: 0, to: channels, by: Vector.scalarCount).lazy.map { min($0, last) }
    }

    @inline(__always)
    private func bias(_ channel: Int, _ lanes: Int) -> Vector {
      epilogue.bias.map { Tail.load($0 + channel, lanes) } ?? .zero
    }

    /// A tile from `column` on, for the first vector of channels.
    @inline(__always)
    private func tile(_ column: Int) -> DepthwiseTileArguments {
      let line = shape.dilation.height &* shape.input.width
      let pixel = rows.lowerBound &* line &+ column &* shape.stride.width &- shape.left
      return DepthwiseTileArguments(
        x: x + pixel &* channels, xStep: shape.stride.width &* channels,
        tapStep: shape.dilation.width &* channels, lineStep: line &* channels,
        weights: w + rows.lowerBound &* shape.kernel.width &* channels, lines: rows.count,
        taps: shape.kernel.width, channels: channels, bias: .zero, limits: epilogue.limits,
        output: y + column &* channels)
    }

    /// The vector of channels of one pixel, from the taps that lie inside.
    @inline(__always)
    private func one(_ column: Int, _ channel: Int, _ lanes: Int, _ taps: Range<Int>) {
      var sum = bias(channel, lanes)
      let line = shape.dilation.height &* shape.input.width
      let pixel =
        rows.lowerBound &* line &+ column &* shape.stride.width &- shape.left &+ taps.lowerBound
        &* shape.dilation.width
      var source = x + (pixel &* channels &+ channel)
      var weights = w + ((rows.lowerBound &* shape.kernel.width &+ taps.lowerBound) &* channels &+ channel)
      for _ in rows {
        for tap in 0..<taps.count {
          sum = sum.fused(
            Tail.load(source + tap &* shape.dilation.width &* channels, lanes),
            Tail.load(weights + tap &* channels, lanes))
        }
        source += line &* channels
        weights += shape.kernel.width &* channels
      }
      if let limits = epilogue.limits { sum = sum.within(limits) }
      Tail.store(sum, y + (column &* channels &+ channel), lanes)
    }
  }
}
