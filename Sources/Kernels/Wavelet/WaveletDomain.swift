import Compute
import Layers
import Tensors

/// A layer applied to an image's Haar wavelet bands: y = T⁻¹(inner(T x)), where T gives four bands of half the size.
///
/// Each band is half the signed sum of 2×2 pixels: all of them; upper minus lower; left minus right; one diagonal
/// minus the other. Channels are ordered by band. An image with an odd side is padded with zeros, and the result is
/// cropped to its size.
///
/// The first band, a small image, may go through another layer too, whose output is added to it.
final class WaveletDomain: Defined, HoldsDecisions, TorchPrinted {
  private let inner: NamedLayer
  private let next: (any Layer)?
  private var saved = Saved<FeatureShape>()

  /// `inner` keeps the shape of all bands, `next` that of the first.
  init(_ inner: NamedLayer, next: (any Layer)? = nil) {
    self.inner = inner
    self.next = next
  }

  var children: [NamedLayer] { [inner] + (next.map { [("", $0)] } ?? []) }

  private func bands(_ input: FeatureShape, count: Int = 4) -> FeatureShape {
    FeatureShape(
      batch: input.batch, height: (input.height + 1) / 2, width: (input.width + 1) / 2,
      channels: count * input.channels)
  }

  func outputShape(for input: FeatureShape) throws -> FeatureShape {
    let bands = bands(input), output = try inner.layer.outputShape(for: bands)
    precondition(output == bands)
    _ = try next?.outputShape(for: self.bands(input, count: 1))
    return input
  }

  /// Three sums and a product for each value of the bands, and for each of the output; backward the same.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost {
    let bands = bands(input), first = self.bands(input, count: 1), values = bands.count + input.count
    let own = Cost(
      adds: 3 * values + (next == nil ? 0 : first.count), otherOps: values, bytes: 8 * values)
    let inside = try own + inner.layer.cost(for: bands, pass: pass)
    return try next.map { try inside + $0.cost(for: first, pass: pass) } ?? inside
  }

  func forward(_ input: Tensor, _ context: Context) -> Tensor {
    let shape = FeatureShape(input), t = transformed(input, threads: context.threads)
    saved.keep(shape, context)
    var y = inner.layer.forward(t, context)
    if let next { y.addToFirst(next.forward(first(of: t, context), context)) }
    return inverse(y, shape, threads: context.threads)
  }

  /// T is orthogonal: the gradients go through the same two transforms.
  func backward(_ gradient: Tensor, input: InputGradient, _ context: Context) -> Tensor {
    let shape = saved.take(), g = transformed(gradient, threads: context.threads)
    let isNeeded: InputGradient = input.isNeeded ? .needed : .unneeded
    var dx = inner.layer.backward(g, input: isNeeded, context)
    let more = next.map { $0.backward(first(of: g, context), input: isNeeded, context) }
    guard input.isNeeded else { return InputGradient.nothing }
    if let more { dx.addToFirst(more) }
    return input.total(inverse(dx, shape, threads: context.threads), threads: context.threads)
  }

  private func first(of bands: Tensor, _ context: Context) -> Tensor {
    let channels = bands.shape[3] / 4
    return bands.channelSlices([channels, 3 * channels], threads: context.threads)[0]
  }

  private func transformed(_ x: Tensor, threads: Int) -> Tensor {
    let shape = FeatureShape(x), bands = bands(shape), channels = shape.channels
    var y = Tensor(uninitialized: bands.extents)
    withPointers(x, Tensor(repeating: 0, [channels])) { x, zeros in
      y.withMutablePointer { y in
        Self.forEachBlock(shape, bands, threads: threads) { block, pixels in
          func row(_ place: Int) -> UnsafePointer<Float> {
            pixels[place] < 0 ? zeros : x + pixels[place] * channels
          }
          let a = row(0), b = row(1), c = row(2), d = row(3), y = y + block * 4 * channels
          for i in 0..<channels {
            let (above, below) = (a[i] + b[i], c[i] + d[i]), (upper, lower) = (a[i] - b[i], c[i] - d[i])
            y[i] = 0.5 * (above + below)
            y[channels + i] = 0.5 * (above - below)
            y[2 * channels + i] = 0.5 * (upper + lower)
            y[3 * channels + i] = 0.5 * (upper - lower)
          }
        }
      }
    }
    return y
  }

  private func inverse(_ y: Tensor, _ shape: FeatureShape, threads: Int) -> Tensor {
    let channels = shape.channels
    var x = Tensor(uninitialized: shape.extents)
    y.withPointer { y in
      x.withMutablePointer { x in
        Self.forEachBlock(shape, bands(shape), threads: threads) { block, pixels in
          let y = y + block * 4 * channels
          for place in 0..<4 where pixels[place] >= 0 {
            let down: Float = place < 2 ? 0.5 : -0.5, right: Float = place % 2 == 0 ? 0.5 : -0.5
            let x = x + pixels[place] * channels
            for i in 0..<channels {
              x[i] =
                0.5 * y[i] + down * y[channels + i] + right * y[2 * channels + i]
                + 2 * down * right * y[3 * channels + i]
            }
          }
        }
      }
    }
    return x
  }

  /// Visits each pixel of the bands with the four pixels that it is computed from, row by row; those beyond the image
  /// are -1.
  private static func forEachBlock(
    _ shape: FeatureShape, _ bands: FeatureShape, threads: Int, _ body: (Int, SIMD4<Int>) -> Void
  ) {
    parallel(bands.pixels, threads: threads) { blocks in
      for block in blocks {
        let (line, column) = block.quotientAndRemainder(dividingBy: bands.width)
        let (image, row) = line.quotientAndRemainder(dividingBy: bands.height)
        var pixels = SIMD4(repeating: -1)
        for place in 0..<4 {
          let y = 2 * row + place / 2, x = 2 * column + place % 2
          guard y < shape.height, x < shape.width else { continue }
          pixels[place] = (image * shape.height + y) * shape.width + x
        }
        body(block, pixels)
      }
    }
  }

  /// The sign of a pixel of a block in a band.
  private static func sign(_ band: Int, _ row: Int, _ column: Int) -> Double {
    (band % 2 == 1 && row == 1 ? -1 : 1) * (band / 2 == 1 && column == 1 ? -1 : 1)
  }

  func reference(_ input: Tensor64, _ parameters: [Tensor64], training: Bool) -> Tensor64 {
    let own = byChild(parameters), shape = input.shape, channels = shape[3]
    let half = [shape[0], (shape[1] + 1) / 2, (shape[2] + 1) / 2]
    let t = Tensor64(half + [4 * channels]) { image, row, column, channel in
      (0..<4).reduce(0) { sum, place in
        let (down, right) = (place / 2, place % 2), y = 2 * row + down, x = 2 * column + right
        guard y < shape[1], x < shape[2] else { return sum }
        return sum
          + 0.5 * Self.sign(channel / channels, down, right) * input[image, y, x, channel % channels]
      }
    }
    var y = inner.layer.definition(t, own[0], training: training)
    if let next {
      let first = Tensor64(half + [channels]) { t[$0, $1, $2, $3] }
      let more = next.definition(first, own[1], training: training)
      y = Tensor64(y.shape) { $3 < channels ? y[$0, $1, $2, $3] + more[$0, $1, $2, $3] : y[$0, $1, $2, $3] }
    }
    return Tensor64(shape) { image, row, column, channel in
      (0..<4).reduce(0) {
        $0 + 0.5 * Self.sign($1, row % 2, column % 2) * y[image, row / 2, column / 2, $1 * channels + channel]
      }
    }
  }
}

extension Tensor {
  /// Adds feature maps of fewer channels to the first channels.
  fileprivate mutating func addToFirst(_ other: Tensor) {
    let channels = shape[3], few = other.shape[3], pixels = other.count / few
    other.withPointer { x in
      withMutablePointer { y in
        for pixel in 0..<pixels {
          let x = x + pixel * few, y = y + pixel * channels
          for channel in 0..<few { y[channel] += x[channel] }
        }
      }
    }
  }
}

/// The four pixels of a block as an axis, which a matrix of signs changes into bands, or bands into pixels.
extension WaveletDomain: ONNXExported {
  func onnx(_ x: ONNXGraph.Value, _ shape: FeatureShape, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let bands = bands(shape), (h, w, c) = (bands.height, bands.width, shape.channels)
    let signs = graph.constant(
      "haar", Tensor((0..<16).map { Float(0.5 * Self.sign($0 / 4, $0 % 4 / 2, $0 % 2)) }, [4, 4]))
    func mixed(_ x: ONNXGraph.Value) -> ONNXGraph.Value {
      graph.node("MatMul", [signs, graph.reshaped(x, [0, 4, c * h * w])])
    }
    let even = graph.node(
      "Pad", [x, graph.constant("pads", [0, 0, 0, 0, 0, 0, 2 * h - shape.height, 2 * w - shape.width])])
    let blocks = graph.node(
      "Transpose", [graph.reshaped(even, [0, c, h, 2, w, 2])], ["perm": .ints([0, 3, 5, 1, 2, 4])])
    let t = graph.reshaped(mixed(blocks), [0, 4 * c, h, w])
    var y = try graph.layer(inner, t, bands)
    if let next {
      let more = try graph.layer(("", next), graph.slice(t, axis: 1, 0..<c), self.bands(shape, count: 1))
      let pads = graph.constant("bands", [0, 0, 0, 0, 0, 3 * c, 0, 0])
      y = graph.node("Add", [y, graph.node("Pad", [more, pads])])
    }
    let pixels = graph.node(
      "Transpose", [graph.reshaped(mixed(y), [0, 2, 2, c, h, w])], ["perm": .ints([0, 3, 4, 1, 5, 2])])
    let whole = graph.reshaped(pixels, [0, c, 2 * h, 2 * w])
    return graph.slice(graph.slice(whole, axis: 2, 0..<shape.height), axis: 3, 0..<shape.width)
  }
}
