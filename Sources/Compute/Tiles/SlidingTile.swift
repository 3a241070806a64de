/// The microkernel of a sliding convolution: neighbouring pixels of a line × one vector of outputs.
///
/// Each pixel that is read meets the three taps of its line that reach it: its value is loaded once for them, since
/// the compiler merges equal loads.
enum SlidingTile<Pixels: TileRows>
where Pixels.Arguments == SlidingTileArguments, Pixels.Operands == SlidingOperands {
  @inline(never)
  static func run(_ tile: SlidingTileArguments) {
    var pixels = Pixels(0, tile)
    for line in 0..<tile.count {
      let line = tile.lines[line]
      var w = line.weights
      for channel in 0..<tile.channels {
        pixels.add(
          0,
          SlidingOperands(
            taps: ThreeTaps(w, step: tile.tapStep), before: line.before + channel, x: line.inner + channel,
            after: line.after + channel, step: tile.channels, last: Pixels.count &- 1))
        w += tile.weightStep
      }
    }
    pixels.store(tile, width: Vector.scalarCount)
    if !tile.epilogue.isPlain { tile.finish(pixels: Pixels.count) }
  }
}

/// Where a tile reads in one line of the input: the pixel before it, those below it, and the one after it.
struct SlidingLine {
  var before, inner, after: UnsafePointer<Float>
  /// The weights of the tap that `before` meets.
  var weights: UnsafePointer<Float>
}

/// What a sliding microkernel reads and writes.
struct SlidingTileArguments: PartialTile {
  var lines: UnsafePointer<SlidingLine>
  var count: Int
  var channels: Int
  /// The step between the weights of neighbouring channels.
  var weightStep: Int
  /// That of neighbouring taps.
  var tapStep: Int
  var bias: Vector
  var output: UnsafeMutablePointer<Float>
  /// The step between neighbouring pixels' outputs.
  var outputStep: Int
  /// The outputs that exist: a vector or fewer.
  var columns: Int
  /// The number of first pixels that another tile has stored.
  var skipped: Int
  var epilogue: EpiloguePointers

  /// Runs the microkernel of 16 or of 8 pixels.
  @inline(__always)
  func run(pixels: Int) {
    if pixels == 16 {
      SlidingTile<Rows16<SlidingPixel>>.run(self)
    } else {
      SlidingTile<Rows8<SlidingPixel>>.run(self)
    }
  }
}

extension SlidingTileArguments {
  /// Applies the epilogue to the stored sums.
  @inline(never)
  fileprivate func finish(pixels: Int) {
    for pixel in skipped..<pixels { epilogue.finish(output + pixel &* outputStep, columns) }
  }
}

/// What the pixels of a sliding tile share in one step: a channel of a line.
struct SlidingOperands {
  let taps: ThreeTaps
  let before, x, after: UnsafePointer<Float>
  /// The step between neighbouring pixels.
  let step: Int
  /// The tile's last pixel.
  let last: Int

  /// The value at a pixel of the tile, or next to it.
  @inline(__always) subscript(_ index: Int) -> Vector {
    Vector(repeating: index < 0 ? before[0] : index > last ? after[0] : x[index &* step])
  }
}

/// One pixel of a sliding tile.
struct SlidingPixel: TileRow {
  private var sum: Vector

  @inline(__always) init(_ index: Int, _ tile: SlidingTileArguments) { sum = tile.bias }

  @inline(__always) mutating func add(_ index: Int, _ x: SlidingOperands) {
    sum = x.taps.products(x[index &- 1], x[index], x[index &+ 1], addedTo: sum)
  }

  @inline(__always) func store(_ index: Int, _ tile: SlidingTileArguments) {
    guard index >= tile.skipped else { return }
    Tail.store(sum, tile.output + index &* tile.outputStep, tile.columns)
  }
}
