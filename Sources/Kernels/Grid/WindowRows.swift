import Compute
import Tensors

/// Row tables over a padded copy of the image, in which each row of a window is one contiguous run.
///
/// For images of few channels: a 7×7 window over 3 channels is 7 runs of 21 floats, not 49 of 3.
struct WindowRows {
  private let geometry: ConvolutionGeometry
  private let output: FeatureShape
  private let copy: Tensor
  private let height: Int, width: Int

  /// The floats of a run.
  let run: Int

  /// Whether this is worth its copy.
  static func serves(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.groups == 1 && geometry.inputChannels < 16 && geometry.kernel.width > 1
      && geometry.dilation.width == 1 && geometry.padding.top + geometry.padding.bottom < 64
      && geometry.padding.left + geometry.padding.right < 64
  }

  init(_ geometry: ConvolutionGeometry, _ x: Tensor, output: FeatureShape, threads: Int) {
    self.geometry = geometry
    self.output = output
    let input = FeatureShape(x), channels = input.channels, padding = geometry.padding
    height = input.height + padding.top + padding.bottom
    width = input.width + padding.left + padding.right
    run = geometry.kernel.width * channels
    var copy = Tensor(uninitialized: [input.batch, height, width, channels])
    let (height, width) = (height, width)
    x.withPointer { x in
      copy.withMutablePointer { copy in
        parallel(input.batch * height, threads: threads, grain: 32) { lines in
          for line in lines {
            let (image, row) = line.quotientAndRemainder(dividingBy: height)
            let target = copy + line * width * channels, source = row - padding.top
            guard source >= 0, source < input.height else {
              target.update(repeating: 0, count: width * channels)
              continue
            }
            target.update(repeating: 0, count: padding.left * channels)
            (target + padding.left * channels).update(
              from: x + (image * input.height + source) * input.width * channels,
              count: input.width * channels)
            (target + (padding.left + input.width) * channels).update(
              repeating: 0, count: padding.right * channels)
          }
        }
      }
    }
    self.copy = copy
  }

  /// Calls `body` with the copy.
  func withPointer(_ body: (UnsafePointer<Float>) -> Void) { copy.withPointer(body) }

  /// Fills the table of a tile of output pixels: a slot for each row of the window.
  @inline(__always)
  func fillForward(
    _ range: Range<Int>, _ table: RowTable, copy: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
  ) -> Int {
    for pixel in range { table.outputRows[pixel - range.lowerBound] = y + pixel * output.channels }
    let first = table.slot(0), down = geometry.dilation.height * width * geometry.inputChannels
    fill(0, range, copy: copy, into: first)
    table.setTap(slot: 0, 0)
    for row in 1..<max(geometry.kernel.height, 1) {
      table.setTap(slot: row, row)
      let slot = table.slot(row), distance = row &* down
      for index in 0..<range.count { slot[index] = first[index] + distance }
    }
    return geometry.kernel.height
  }

  /// Writes where each of a range of output pixels reads a row of the window.
  @inline(__always)
  func fill(
    _ row: Int, _ range: Range<Int>, copy: UnsafePointer<Float>,
    into pointers: UnsafeMutablePointer<UnsafePointer<Float>>
  ) {
    var pixel = range.lowerBound
    var (lines, column) = pixel.quotientAndRemainder(dividingBy: output.width)
    while pixel < range.upperBound {
      let (image, line) = lines.quotientAndRemainder(dividingBy: output.height)
      let source = image &* height &+ line &* geometry.stride.height &+ row &* geometry.dilation.height
      let first = copy + source &* width &* geometry.inputChannels
      while column < output.width && pixel < range.upperBound {
        pointers[pixel &- range.lowerBound] =
          first + column &* geometry.stride.width &* geometry.inputChannels
        pixel &+= 1
        column &+= 1
      }
      column = 0
      lines &+= 1
    }
  }
}
