import Compute
import Kernels
import Layers
import Tensors

/// A convolution whose padding reflects the image instead of adding zeros: its own sampling, with its own fast path.
struct Reflected: Kernel {
  let name = "reflected"
  let summary = "k×k convolution that reads the image reflected at its borders instead of zeros"
  let formula = "y[p, o] = Σ over t, c of x[reflect(p·s + t), c] · w[t, c, o]"
  let paper = "an example"
  var algorithms: [String] { Algorithms.names(readsRegularGrid: false) }

  func makeLayer(_ site: KernelSite) throws -> any KernelLayer {
    try ConvolutionLayer(site, sampling: ReflectedGrid(site.geometry))
  }
}

/// The grid of a geometry, reflected at the image's borders: −1 reads 1, and height reads height − 2.
final class ReflectedGrid: Sampling {
  let geometry: ConvolutionGeometry

  init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  var printedPrefix: String { "Reflected" }

  /// A border is reflected only once, so the padding must be smaller than the image.
  func check(_ input: FeatureShape, output: FeatureShape) throws {
    let padding = geometry.padding
    guard max(padding.top, padding.bottom) < input.height, max(padding.left, padding.right) < input.width
    else {
      throw WorkbenchError(
        "reflected needs padding smaller than the image, not \(padding) on \(input.height)×\(input.width) pixels."
      )
    }
  }

  func plan(for input: Tensor, _ context: Context) -> any SamplingPlan {
    ReflectedRows(geometry, input: FeatureShape(input))
  }

  /// The definition reads at grid positions plus offsets: here, each leads from a position to its mirror image.
  func definition(_ input: Tensor64, _ parameters: [Tensor64]) -> Positions {
    let shape = FeatureShape(
      batch: input.shape[0], height: input.shape[1], width: input.shape[2], channels: input.shape[3])
    return ReflectedRows(geometry, input: shape).positions
  }

  /// The positions are constants.
  func definitionGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Positions
  ) -> (input: Tensor64?, parameters: [Tensor64]) { (nil, []) }
}

/// Where the pixels of one input are read: pointers into the image, never to zeros.
struct ReflectedRows: SamplingPlan {
  let geometry: ConvolutionGeometry
  let input: FeatureShape
  let output: FeatureShape

  init(_ geometry: ConvolutionGeometry, input: FeatureShape) {
    self.geometry = geometry
    self.input = input
    output = geometry.checkedOutput(input)
  }

  var slots: SlotLayout { SlotLayout(count: geometry.taps) }

  /// One slot for each tap.
  func fill(
    _ pixels: Range<Int>, _ table: RowTable, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, skipsPadding: Bool
  ) -> Int {
    for tap in 0..<geometry.taps {
      table.setTap(slot: tap, tap)
      fillTap(tap, pixels, x: x, zeros: zeros, scratch: table.scratch, into: table.slot(tap))
    }
    for pixel in pixels { table.outputRows[pixel - pixels.lowerBound] = y + pixel * output.channels }
    return geometry.taps
  }

  func fillTap(
    _ tap: Int, _ pixels: Range<Int>, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, into pointers: UnsafeMutablePointer<UnsafePointer<Float>>
  ) {
    for pixel in pixels { pointers[pixel - pixels.lowerBound] = x + source(pixel, tap) * input.channels }
  }

  /// Several reads may share a pixel, so each thread owns a range of channels.
  func scatter(
    _ columns: UnsafePointer<Float>, _ pixels: Range<Int>, x: UnsafePointer<Float>,
    zeros: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, threads: Int
  ) {
    parallel(input.channels, threads: threads, grain: 16) { channels in
      for pixel in pixels {
        for tap in 0..<geometry.taps {
          let column = columns + ((pixel - pixels.lowerBound) * geometry.taps + tap) * input.channels
          let target = dx + source(pixel, tap) * input.channels
          for channel in channels { target[channel] += column[channel] }
        }
      }
    }
  }

  var positions: Positions {
    let offset = Tensor64([output.batch, output.height, output.width, 2 * geometry.taps]) {
      _, row, column, slot in
      let (y, x) = grid(row, column, slot / 2)
      return Double(slot % 2 == 0 ? reflect(y, input.height) - y : reflect(x, input.width) - x)
    }
    return Positions(offset: offset)
  }

  /// The pixel of the input that an output pixel reads at a tap, counted over all images.
  private func source(_ pixel: Int, _ tap: Int) -> Int {
    let (line, column) = pixel.quotientAndRemainder(dividingBy: output.width)
    let (image, row) = line.quotientAndRemainder(dividingBy: output.height)
    let (y, x) = grid(row, column, tap)
    return (image * input.height + reflect(y, input.height)) * input.width + reflect(x, input.width)
  }

  private func grid(_ row: Int, _ column: Int, _ tap: Int) -> (y: Int, x: Int) {
    let g = geometry
    return (
      row * g.stride.height - g.padding.top + tap / g.kernel.width * g.dilation.height,
      column * g.stride.width - g.padding.left + tap % g.kernel.width * g.dilation.width
    )
  }

  private func reflect(_ place: Int, _ size: Int) -> Int {
    place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place
  }
}
