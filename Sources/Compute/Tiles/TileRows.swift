/// Rows of a tile: what a microkernel keeps in registers, one row or several.
///
/// A microkernel is written once, for any number of rows. A family has a type for one row; `RowPair` joins two rows,
/// two pairs, and so on. All rows become stored properties of one value, which the compiler keeps in registers like
/// local variables. A loop over an array would depend on being unrolled: with an `InlineArray` of 12 rows, those of a
/// convolution stay in registers and those of an adder do not (Swift 6.3). `Tests/Scripts/check-tiles.sh` looks at
/// the machine code.
///
/// `index` is the number of a row in the tile, a constant once all calls are inlined.
protocol TileRows {
  /// What the tile reads and writes.
  associatedtype Arguments
  /// What all rows share in one step of the inner loop.
  associatedtype Operands

  /// The number of rows.
  static var count: Int { get }
  /// Rows before the first term.
  init(_ index: Int, _ tile: Arguments)
  /// Prepares the rows to read a part of the tile, such as a tap of the window.
  mutating func enter(_ index: Int, _ tile: Arguments, part: Int)
  /// Adds one term to each accumulator.
  mutating func add(_ index: Int, _ operands: Operands)
  /// Turns the accumulators into outputs, once all terms are in.
  mutating func end(_ index: Int, _ tile: Arguments)
  /// Limits the outputs.
  mutating func limit(_ limits: Limits)
  /// Writes the results.
  func store(_ index: Int, _ tile: Arguments)
}

extension TileRows {
  @inline(__always) mutating func enter(_ index: Int, _ tile: Arguments, part: Int) {}
  @inline(__always) mutating func end(_ index: Int, _ tile: Arguments) {}
  @inline(__always) mutating func limit(_ limits: Limits) {}
}

/// A tile that may have fewer outputs than its vectors have lanes.
protocol PartialTile {
  /// How many outputs it has: its width or fewer.
  var columns: Int { get set }
}

extension TileRows where Arguments: PartialTile {
  /// Writes the results of all rows. Whole vectors are written from the registers, without calls.
  @inline(__always) func store(_ tile: Arguments, width: Int) {
    if tile.columns >= width {
      var whole = tile
      whole.columns = width
      store(0, whole)
    } else {
      storePart(tile)
    }
  }

  @inline(never) private func storePart(_ tile: Arguments) { store(0, tile) }
}

/// A kind of row of which a tile can be made.
protocol TileRow: TileRows {}

extension TileRow {
  @inline(__always) static var count: Int { 1 }
}

/// Two groups of rows.
struct RowPair<First: TileRows, Second: TileRows>: TileRows
where First.Arguments == Second.Arguments, First.Operands == Second.Operands {
  private var first: First
  private var second: Second

  @inline(__always) static var count: Int { First.count &+ Second.count }

  @inline(__always) init(_ index: Int, _ tile: First.Arguments) {
    first = First(index, tile)
    second = Second(index &+ First.count, tile)
  }

  @inline(__always) mutating func enter(_ index: Int, _ tile: First.Arguments, part: Int) {
    first.enter(index, tile, part: part)
    second.enter(index &+ First.count, tile, part: part)
  }

  @inline(__always) mutating func add(_ index: Int, _ operands: First.Operands) {
    first.add(index, operands)
    second.add(index &+ First.count, operands)
  }

  @inline(__always) mutating func end(_ index: Int, _ tile: First.Arguments) {
    first.end(index, tile)
    second.end(index &+ First.count, tile)
  }

  @inline(__always) mutating func limit(_ limits: Limits) {
    first.limit(limits)
    second.limit(limits)
  }

  @inline(__always) func store(_ index: Int, _ tile: First.Arguments) {
    first.store(index, tile)
    second.store(index &+ First.count, tile)
  }
}

typealias Rows2<Row: TileRow> = RowPair<Row, Row>
typealias Rows4<Row: TileRow> = RowPair<Rows2<Row>, Rows2<Row>>
typealias Rows6<Row: TileRow> = RowPair<Rows4<Row>, Rows2<Row>>
typealias Rows8<Row: TileRow> = RowPair<Rows4<Row>, Rows4<Row>>
typealias Rows10<Row: TileRow> = RowPair<Rows8<Row>, Rows2<Row>>
typealias Rows12<Row: TileRow> = RowPair<Rows8<Row>, Rows4<Row>>
typealias Rows16<Row: TileRow> = RowPair<Rows8<Row>, Rows8<Row>>
