/// The microkernel of a product of complex matrices: rows × one vector of complex outputs.
enum ComplexTile<Rows: TileRows>
where Rows.Arguments == ComplexTileArguments, Rows.Operands == ComplexOperands {
  @inline(never)
  static func run(_ tile: ComplexTileArguments) {
    var rows = Rows(0, tile)
    var w = tile.weights
    for channel in 0..<tile.channels {
      let real = Vector(at: w), imaginary = Vector(at: w + Vector.scalarCount)
      rows.add(
        0,
        ComplexOperands(
          channel: channel, imaginaryChannel: channel &+ tile.imaginary, real: real, imaginary: imaginary,
          minusImaginary: -imaginary))
      w += 2 &* Vector.scalarCount
    }
    rows.store(tile, width: Vector.scalarCount)
  }
}

/// What a complex microkernel reads and writes.
struct ComplexTileArguments: PartialTile {
  /// Where each row of inputs starts. Rows that a tile lacks repeat one that it has.
  var rows: UnsafePointer<UnsafePointer<Float>>
  /// The distance from a row's real parts to its imaginary ones.
  var imaginary: Int
  var channels: Int
  /// A panel of weights: `[channel][real, imaginary][lane]`.
  var weights: UnsafePointer<Float>
  var output: UnsafeMutablePointer<Float>
  var outputRow: Int
  /// The distance from a row's real outputs to its imaginary ones.
  var outputImaginary: Int
  /// The outputs that exist: a vector or fewer.
  var columns: Int
  /// How many rows the tile has.
  var count: Int

  /// Runs the smallest microkernel that has room for the tile's rows.
  @inline(__always)
  func run() {
    switch count {
    case ...4: ComplexTile<Rows4<ComplexRow>>.run(self)
    case ...8: ComplexTile<Rows8<ComplexRow>>.run(self)
    default: ComplexTile<Rows12<ComplexRow>>.run(self)
    }
  }
}

/// What the rows of a complex tile share in one step: a channel and its weights.
struct ComplexOperands {
  let channel: Int, imaginaryChannel: Int
  let real: Vector, imaginary: Vector, minusImaginary: Vector
}

/// One row of a complex tile.
struct ComplexRow: TileRow {
  private var real: Vector, imaginary: Vector
  private let x: UnsafePointer<Float>

  @inline(__always) init(_ index: Int, _ tile: ComplexTileArguments) {
    (real, imaginary) = (.zero, .zero)
    x = tile.rows[index]
  }

  @inline(__always) mutating func add(_ index: Int, _ w: ComplexOperands) {
    let a = Vector(repeating: x[w.channel]), b = Vector(repeating: x[w.imaginaryChannel])
    real = real.fused(a, w.real).fused(b, w.minusImaginary)
    imaginary = imaginary.fused(a, w.imaginary).fused(b, w.real)
  }

  @inline(__always) func store(_ index: Int, _ tile: ComplexTileArguments) {
    guard index < tile.count else { return }
    let output = tile.output + index &* tile.outputRow
    Tail.store(real, output, tile.columns)
    Tail.store(imaginary, output + tile.outputImaginary, tile.columns)
  }
}
