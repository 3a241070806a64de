/// The microkernel of a sliding weight gradient: channels × three taps × one vector of outputs, summed over lines of
/// pixels.
enum SlidingWeightTile<Channels: TileRows>
where Channels.Arguments == SlidingWeightTileArguments, Channels.Operands == SlidingWeightOperands {
  @inline(never)
  static func run(_ tile: SlidingWeightTileArguments) {
    var channels = Channels(0, tile)
    for line in 0..<tile.lines {
      var x = tile.x + line &* tile.xLine, g = tile.gradient + line &* tile.gradientLine
      for _ in 0..<tile.pixels {
        channels.add(0, SlidingWeightOperands(x: x, windows: ThreeTaps(g, step: Vector.scalarCount)))
        x += tile.xStep
        g += Vector.scalarCount
      }
    }
    channels.store(tile, width: Vector.scalarCount)
  }
}

/// What a microkernel of the sliding weight gradient reads and writes.
struct SlidingWeightTileArguments: PartialTile {
  /// The tile's first channel of the first pixel.
  var x: UnsafePointer<Float>
  /// The distances of lines, and of neighbouring pixels.
  var xLine: Int, xStep: Int
  /// `[line][column][lane]`, with two columns more than x has.
  var gradient: UnsafePointer<Float>
  var gradientLine: Int
  var lines: Int
  /// The pixels of a line.
  var pixels: Int
  /// The weights of the first channel and tap, which are added to.
  var result: UnsafeMutablePointer<Float>
  var channelStep: Int
  var tapStep: Int
  /// The outputs that exist: a vector or fewer.
  var columns: Int

  /// Runs the microkernel of this number of channels: one of the counts of `channelCuts`.
  @inline(__always)
  func run(channels: Int) {
    switch channels {
    case 8: SlidingWeightTile<Rows8<ChannelTaps>>.run(self)
    case 4: SlidingWeightTile<Rows4<ChannelTaps>>.run(self)
    default: SlidingWeightTile<ChannelTaps>.run(self)
    }
  }
}

/// What the channels share in one step: a pixel, and the gradients of the three windows that read it.
struct SlidingWeightOperands {
  let x: UnsafePointer<Float>
  let windows: ThreeTaps
}

/// The sums of one channel's three taps.
struct ChannelTaps: TileRow {
  private var first, second, third: Vector

  @inline(__always) init(_ index: Int, _ tile: SlidingWeightTileArguments) {
    let sums = tile.result + index &* tile.channelStep
    first = Tail.load(sums, tile.columns)
    second = Tail.load(sums + tile.tapStep, tile.columns)
    third = Tail.load(sums + 2 &* tile.tapStep, tile.columns)
  }

  /// The first window that reads a pixel does so with its third tap.
  @inline(__always) mutating func add(_ index: Int, _ pixel: SlidingWeightOperands) {
    let x = Vector(repeating: pixel.x[index])
    first = first.fused(x, pixel.windows.third)
    second = second.fused(x, pixel.windows.second)
    third = third.fused(x, pixel.windows.first)
  }

  @inline(__always) func store(_ index: Int, _ tile: SlidingWeightTileArguments) {
    let sums = tile.result + index &* tile.channelStep
    Tail.store(first, sums, tile.columns)
    Tail.store(second, sums + tile.tapStep, tile.columns)
    Tail.store(third, sums + 2 &* tile.tapStep, tile.columns)
  }
}
