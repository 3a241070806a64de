/// The microkernel of a depthwise convolution: neighbouring pixels whose windows lie inside, horizontally × one vector
/// of channels.
enum DepthwiseTile<Pixels: TileRows>
where Pixels.Arguments == DepthwiseTileArguments, Pixels.Operands == DepthwiseTap {
  @inline(never)
  static func run(_ tile: DepthwiseTileArguments) {
    var pixels = Pixels(0, tile)
    var line = tile.x, weights = tile.weights
    for _ in 0..<tile.lines {
      var x = line
      for _ in 0..<tile.taps {
        pixels.add(0, DepthwiseTap(x: x, step: tile.xStep, weights: Vector(at: weights)))
        x += tile.tapStep
        weights += tile.channels
      }
      line += tile.lineStep
    }
    if let limits = tile.limits { pixels.limit(limits) }
    pixels.store(0, tile)
  }
}

/// The same for windows three pixels wide that move by one: neighbours share what they read.
enum DepthwiseTileOfThree<Pixels: TileRows>
where Pixels.Arguments == DepthwiseTileArguments, Pixels.Operands == DepthwiseTaps {
  @inline(never)
  static func run(_ tile: DepthwiseTileArguments) {
    var pixels = Pixels(0, tile)
    var line = tile.x, weights = tile.weights
    for _ in 0..<tile.lines {
      pixels.add(
        0, DepthwiseTaps(x: line, step: tile.channels, weights: ThreeTaps(weights, step: tile.channels)))
      line += tile.lineStep
      weights += 3 &* tile.channels
    }
    if let limits = tile.limits { pixels.limit(limits) }
    pixels.store(0, tile)
  }
}

/// What a depthwise microkernel reads and writes.
struct DepthwiseTileArguments {
  /// What the first pixel's first tap reads.
  var x: UnsafePointer<Float>
  /// The distances of what neighbouring pixels read, of what neighbouring taps of a line do, and of the window's lines.
  var xStep: Int, tapStep: Int, lineStep: Int
  /// `[line][tap][channel]`, from the first line inside on.
  var weights: UnsafePointer<Float>
  /// The lines of the window that lie inside.
  var lines: Int
  /// The taps of a line.
  var taps: Int
  var channels: Int
  var bias: Vector
  /// What is done to the sums before they are stored.
  var limits: Limits?
  var output: UnsafeMutablePointer<Float>

  /// Runs the microkernel of 8 or of 4 pixels.
  @inline(__always)
  func run(pixels: Int, ofThree: Bool) {
    if pixels == 4 {
      DepthwiseTile<Rows4<DepthwisePixel>>.run(self)
    } else if ofThree {
      DepthwiseTileOfThree<Rows8<DepthwisePixelOfThree>>.run(self)
    } else {
      DepthwiseTile<Rows8<DepthwisePixel>>.run(self)
    }
  }

  @inline(__always)
  fileprivate func store(_ sum: Vector, _ index: Int) {
    sum.store(output + index &* channels)
  }
}

/// What the pixels share in one step: a tap.
struct DepthwiseTap {
  let x: UnsafePointer<Float>
  let step: Int
  let weights: Vector
}

/// What the pixels share in one step: a line of taps.
struct DepthwiseTaps {
  let x: UnsafePointer<Float>
  let step: Int
  let weights: ThreeTaps

  @inline(__always) subscript(_ index: Int) -> Vector { Vector(at: x + index &* step) }
}

/// One pixel of a depthwise tile.
struct DepthwisePixel: TileRow {
  private var sum: Vector

  @inline(__always) init(_ index: Int, _ tile: DepthwiseTileArguments) { sum = tile.bias }

  @inline(__always) mutating func add(_ index: Int, _ tap: DepthwiseTap) {
    sum = sum.fused(Vector(at: tap.x + index &* tap.step), tap.weights)
  }

  @inline(__always) mutating func limit(_ limits: Limits) { sum = sum.within(limits) }

  @inline(__always) func store(_ index: Int, _ tile: DepthwiseTileArguments) { tile.store(sum, index) }
}

/// One pixel of a depthwise tile whose windows are three pixels wide.
struct DepthwisePixelOfThree: TileRow {
  private var sum: Vector

  @inline(__always) init(_ index: Int, _ tile: DepthwiseTileArguments) { sum = tile.bias }

  @inline(__always) mutating func add(_ index: Int, _ x: DepthwiseTaps) {
    sum = x.weights.products(x[index], x[index &+ 1], x[index &+ 2], addedTo: sum)
  }

  @inline(__always) mutating func limit(_ limits: Limits) { sum = sum.within(limits) }

  @inline(__always) func store(_ index: Int, _ tile: DepthwiseTileArguments) { tile.store(sum, index) }
}
