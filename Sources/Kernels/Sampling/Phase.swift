import Tensors

/// The input pixels with equal positions modulo the stride. The same taps read them, from output pixels at the same
/// distances. A convolution of stride 1 has one phase.
struct Phase {
  /// The indices of its pixels, counted phase by phase.
  let numbers: Range<Int>
  /// Its pixels, as a separate image.
  let grid: FeatureShape
  /// The taps that reach them.
  private(set) var taps: [Int] = []
  /// For each tap, the offset of its output pixel from the one with the same row and column.
  private(set) var moves: [(Int, Int)] = []
  /// The same in pixels of the output, counted in memory order.
  private(set) var offsets: [Int] = []
  /// The pixels that all the taps reach from inside the output.
  private(set) var inner: Window

  private let origin: Pair, stride: Pair

  /// Rows and columns.
  struct Window {
    var rows, columns: Range<Int>
    @inline(__always) func contains(_ row: Int, _ column: Int) -> Bool {
      rows.contains(row) && columns.contains(column)
    }
  }

  /// All phases that have pixels.
  static func all(_ geometry: ConvolutionGeometry, input: FeatureShape, output: FeatureShape) -> [Phase] {
    var phases: [Phase] = []
    for row in 0..<min(geometry.stride.height, input.height) {
      for column in 0..<min(geometry.stride.width, input.width) {
        phases.append(
          Phase(
            geometry, Pair(row, column), from: phases.last?.numbers.upperBound ?? 0, input: input,
            output: output))
      }
    }
    return phases
  }

  private init(
    _ g: ConvolutionGeometry, _ origin: Pair, from first: Int, input: FeatureShape, output: FeatureShape
  ) {
    self.origin = origin
    stride = g.stride
    grid = FeatureShape(
      batch: input.batch, height: (input.height - origin.height + stride.height - 1) / stride.height,
      width: (input.width - origin.width + stride.width - 1) / stride.width, channels: 1)
    numbers = first..<first + grid.pixels
    inner = Window(rows: 0..<grid.height, columns: 0..<grid.width)
    for tap in 0..<g.taps {
      let reach = g.reach(ofTap: tap)
      let y = origin.height + g.padding.top - reach.y, x = origin.width + g.padding.left - reach.x
      guard y % stride.height == 0, x % stride.width == 0 else { continue }
      let (dy, dx) = (y / stride.height, x / stride.width)
      taps.append(tap)
      moves.append((dy, dx))
      offsets.append(dy * output.width + dx)
      inner.rows = inner.rows.clamped(to: -dy..<output.height - dy)
      inner.columns = inner.columns.clamped(to: -dx..<output.width - dx)
    }
  }

  /// The input pixel, counted in memory order, at a place of the phase.
  @inline(__always)
  func inputPixel(_ image: Int, _ row: Int, _ column: Int, _ input: FeatureShape) -> Int {
    let row = image &* input.height &+ origin.height &+ row &* stride.height
    return row &* input.width &+ origin.width &+ column &* stride.width
  }
}
