/// The microkernel of AdderNet's gradient to the input: input pixels × one or two vectors of channels,
/// `dx = Σ over slots, outputs of clamp(w − x, −limit, limit) · g`.
enum ClampedTile<Rows: TileRows, Panel: Lanes>
where Rows.Arguments == ClampedTileArguments, Rows.Operands == ClampedOperands {
  @inline(never)
  static func run(_ tile: ClampedTileArguments) {
    var rows = Rows(0, tile)
    for slot in 0..<tile.slots {
      rows.enter(0, tile, part: slot)
      var w = tile.weights + tile.runs[slot].first &* Panel.count
      for output in 0..<tile.depth {
        rows.add(0, ClampedOperands(output: output, weights: w))
        w += Panel.count
      }
    }
    rows.store(tile, width: Panel.count)
  }
}

/// What a microkernel of the clamped gradient reads and writes.
struct ClampedTileArguments: PartialTile {
  /// Where to read g: pointers for each slot, as in `TileArguments`, from the tile's first pixel on.
  var rows: UnsafePointer<UnsafePointer<Float>>
  var runs: UnsafePointer<SlotRun>
  var slots: Int
  /// The forward pass's outputs.
  var depth: Int
  /// One panel of weights packed for the backward pass.
  var weights: UnsafePointer<Float>
  /// For each pixel, where its row of dx is.
  var outputs: UnsafePointer<UnsafeMutablePointer<Float>>
  /// The first of the tile's channels in that row.
  var column: Int
  /// The distance from dx to the x that belongs to it, in floats.
  var input: Int
  /// How many channels the tile has: the panel's width or fewer.
  var columns: Int
  /// What differences are clamped to.
  var limit: Float
  /// How many pixels the tile has: two or one.
  var count: Int

  /// - Parameter single: whether the panel is one vector of channels wide, not two.
  @inline(__always)
  func run(single: Bool) {
    if single {
      ClampedTile<Rows2<ClampedRow<OneVector>>, OneVector>.run(self)
    } else {
      ClampedTile<Rows4<ClampedRow<TwoVectors>>, TwoVectors>.run(self)
    }
  }
}

/// What the rows of a clamped tile share in one step: an output of the forward pass and its weights.
struct ClampedOperands {
  let output: Int
  let weights: UnsafePointer<Float>
}

/// One vector of the channels of a pixel: two rows of the tile are a pixel where its panel is two vectors wide.
struct ClampedRow<Panel: Lanes>: TileRow {
  private var sum: Vector
  private let x: Vector, limit: Vector
  private var g: UnsafePointer<Float>

  @inline(__always) private static func pixel(_ index: Int) -> Int {
    index &* Vector.scalarCount / Panel.count
  }
  /// The row's first lane in its panel.
  @inline(__always) private static func lane(_ index: Int) -> Int {
    index &* Vector.scalarCount % Panel.count
  }

  @inline(__always) init(_ index: Int, _ tile: ClampedTileArguments) {
    let pixel = min(Self.pixel(index), tile.count &- 1), lane = Self.lane(index)
    sum = .zero
    limit = Vector(repeating: tile.limit)
    x = Tail.load(tile.outputs[pixel] + (tile.column &+ tile.input &+ lane), tile.columns &- lane)
    g = tile.weights
  }

  @inline(__always) mutating func enter(_ index: Int, _ tile: ClampedTileArguments, part slot: Int) {
    g = tile.rows[slot &* largestTileRows &+ Self.pixel(index)]
  }

  @inline(__always) mutating func add(_ index: Int, _ operands: ClampedOperands) {
    let difference = Vector(at: operands.weights + Self.lane(index)) - x
    let clamped = difference.minimum(limit).maximum(-limit)
    sum = sum.fused(clamped, Vector(repeating: g[operands.output]))
  }

  @inline(__always) func store(_ index: Int, _ tile: ClampedTileArguments) {
    let pixel = Self.pixel(index), lane = Self.lane(index)
    guard pixel < tile.count else { return }
    Tail.store(sum, tile.outputs[pixel] + (tile.column &+ lane), tile.columns &- lane)
  }
}
