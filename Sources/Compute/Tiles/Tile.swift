import CHints

/// The microkernel of the indirect GEMM: a tile of output pixels × one or two vectors of outputs,
/// `y = epilogue(start + Σ over slots, channels of step(x, w))`.
///
/// Out of line, so that there is one copy of each size, under its own name.
enum Tile<Rows: TileRows, Panel: Lanes, Stride: ChannelStride>
where Rows.Arguments == TileArguments, Rows.Operands == TileOperands<Panel> {
  @inline(never)
  static func run(_ tile: TileArguments) {
    let one = Vector(repeating: tile.one)
    var rows = Rows(0, tile)
    var ahead = tile.ahead
    if tile.fetchesTargets { tile.prefetchTargets() }
    for slot in 0..<tile.slots {
      rows.enter(0, tile, part: slot)
      let run = tile.runs[slot]
      var w = tile.weights + run.first &* Panel.count
      var channel = 0
      for _ in 0..<run.count {
        rows.add(0, TileOperands(channel: channel, weights: Panel(at: w), one: one))
        w += Panel.count
        channel = Stride.next(channel, tile.channelStep)
        // The weights of one vector of outputs are in the cache, and their loop has better uses for the registers.
        if Panel.count > Vector.scalarCount {
          workbench_prefetch(ahead)
          ahead += tile.aheadStep
        }
      }
    }
    rows.end(0, tile)
    if let limits = tile.epilogue.limits { rows.limit(limits) }
    rows.store(tile, width: Panel.count)
    if tile.epilogue.hasResidual { tile.finish() }
  }
}

/// What the rows of a tile share in one step.
struct TileOperands<Panel: Lanes> {
  let channel: Int
  let weights: Panel
  let one: Vector
}

/// One output pixel of a tile.
struct PixelRow<Panel: Lanes, Step: Accumulation>: TileRow {
  private var sums: Panel
  private var x: UnsafePointer<Float>

  @inline(__always) init(_ index: Int, _ tile: TileArguments) {
    sums = Panel(startingFrom: Panel(at: tile.bias), Step.self)
    x = tile.weights
  }

  @inline(__always) mutating func enter(_ index: Int, _ tile: TileArguments, part slot: Int) {
    x = tile.rows[slot &* largestTileRows &+ index]
  }

  @inline(__always) mutating func add(_ index: Int, _ operands: TileOperands<Panel>) {
    sums.add(Vector(repeating: x[operands.channel]), operands.weights, one: operands.one, Step.self)
  }

  @inline(__always) mutating func end(_ index: Int, _ tile: TileArguments) {
    sums = sums.finished(Panel(at: tile.bias), Step.self)
  }

  @inline(__always) mutating func limit(_ limits: Limits) { sums.limit(limits) }

  @inline(__always) func store(_ index: Int, _ tile: TileArguments) {
    guard index < tile.count else { return }
    sums.store(tile.outputs[index] + tile.column, tile.columns)
  }
}

/// The distance between a row's channels.
protocol ChannelStride {
  static func next(_ channel: Int, _ step: Int) -> Int
}

/// Contiguous channels.
enum UnitStride: ChannelStride {
  @inline(__always) static func next(_ channel: Int, _ step: Int) -> Int { channel &+ 1 }
}

/// Channels `step` apart.
enum AnyStride: ChannelStride {
  @inline(__always) static func next(_ channel: Int, _ step: Int) -> Int { channel &+ step }
}
