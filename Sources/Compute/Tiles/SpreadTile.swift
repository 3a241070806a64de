import CHints

/// The microkernel of narrow groups: a tile of output pixels × one vector of outputs,
/// `y = epilogue(bias + Σ over slots, channels of a group of x spread over its group · w)`.
enum SpreadTile<Rows: TileRows, Spread: ChannelSpread>
where Rows.Arguments == TileArguments, Rows.Operands == SpreadOperands {
  @inline(never)
  static func run(_ tile: TileArguments) {
    var rows = Rows(0, tile)
    for slot in 0..<tile.slots {
      rows.enter(0, tile, part: slot)
      Spread.addChannels(to: &rows, tile.weights + tile.runs[slot].first &* Vector.scalarCount)
    }
    if let limits = tile.epilogue.limits { rows.limit(limits) }
    rows.store(tile, width: Vector.scalarCount)
    if tile.epilogue.hasResidual { tile.finish() }
  }
}

/// What the rows of a tile share in one step.
struct SpreadOperands {
  let channel: Int
  let weights: Vector

  /// The weights of a channel, of those that begin at `w`.
  @inline(__always) init(_ channel: Int, _ w: UnsafePointer<Float>) {
    self.channel = channel
    weights = Vector(at: w + channel &* Vector.scalarCount)
  }
}

/// One output pixel of a tile.
struct SpreadRow<Spread: ChannelSpread>: TileRow {
  private var sum: Vector
  private var x: UnsafePointer<Float>

  @inline(__always) init(_ index: Int, _ tile: TileArguments) {
    sum = Vector(at: tile.bias)
    x = tile.weights
  }

  @inline(__always) mutating func enter(_ index: Int, _ tile: TileArguments, part slot: Int) {
    x = tile.rows[slot &* largestTileRows &+ index]
  }

  @inline(__always) mutating func add(_ index: Int, _ operands: SpreadOperands) {
    sum = sum.fused(Spread.spread(Vector(at: x), operands.channel), operands.weights)
  }

  @inline(__always) mutating func limit(_ limits: Limits) { sum = sum.within(limits) }

  @inline(__always) func store(_ index: Int, _ tile: TileArguments) {
    guard index < tile.count else { return }
    Tail.store(sum, tile.outputs[index] + tile.column, tile.columns)
  }
}

/// How a channel of each group is spread over its group's lanes.
protocol ChannelSpread {
  /// Adds the terms of each channel of a group, whose weights begin at `w`. Written out, as a closure is not inlined.
  static func addChannels<Rows: TileRows>(to rows: inout Rows, _ w: UnsafePointer<Float>)
  where Rows.Operands == SpreadOperands
  /// The vector in which each lane has the given channel of its group.
  static func spread(_ x: Vector, _ channel: Int) -> Vector
}

/// Groups of four channels.
enum Fours: ChannelSpread {
  @inline(__always)
  static func addChannels<Rows: TileRows>(to rows: inout Rows, _ w: UnsafePointer<Float>)
  where Rows.Operands == SpreadOperands {
    rows.add(0, SpreadOperands(0, w))
    rows.add(0, SpreadOperands(1, w))
    rows.add(0, SpreadOperands(2, w))
    rows.add(0, SpreadOperands(3, w))
  }

  @inline(__always) static func spread(_ x: Vector, _ channel: Int) -> Vector {
    #if WORKBENCH_AVX512
      workbench_spread_fours_16(x, channel)
    #else
      workbench_spread_fours_8(x, channel)
    #endif
  }
}

/// Groups of eight channels; they fill a vector of eight lanes, where nothing has to be spread.
enum Eights: ChannelSpread {
  @inline(__always)
  static func addChannels<Rows: TileRows>(to rows: inout Rows, _ w: UnsafePointer<Float>)
  where Rows.Operands == SpreadOperands {
    Fours.addChannels(to: &rows, w)
    rows.add(0, SpreadOperands(4, w))
    rows.add(0, SpreadOperands(5, w))
    rows.add(0, SpreadOperands(6, w))
    rows.add(0, SpreadOperands(7, w))
  }

  @inline(__always) static func spread(_ x: Vector, _ channel: Int) -> Vector {
    #if WORKBENCH_AVX512
      workbench_spread_eights_16(x, channel)
    #else
      Vector(repeating: x[channel])
    #endif
  }
}

extension TileArguments {
  /// Runs the smallest microkernel of groups of four that has room for the tile's pixels.
  @inline(__always)
  func runFours() {
    if count > 6 {
      SpreadTile<Rows12<SpreadRow<Fours>>, Fours>.run(self)
    } else {
      SpreadTile<Rows6<SpreadRow<Fours>>, Fours>.run(self)
    }
  }

  /// Runs that of groups of eight, six pixels at a time: twelve do not fit into the registers.
  @inline(__always)
  func runEights() {
    var part = self
    while part.count > 0 {
      SpreadTile<Rows6<SpreadRow<Eights>>, Eights>.run(part)
      part.rows += 6
      part.outputs += 6
      part.count -= 6
    }
  }
}
