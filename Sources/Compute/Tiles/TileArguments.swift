/// What a microkernel reads and writes.
struct TileArguments: PartialTile {
  /// Where to read: `slots` × `largestTileRows` pointers to rows of channels.
  var rows: UnsafePointer<UnsafePointer<Float>>
  /// For each slot, which of the panel's rows its channels are combined with, and how many there are.
  var runs: UnsafePointer<SlotRun>
  /// The distance in memory of a slot's channels.
  var channelStep = 1
  /// The number of slots.
  var slots: Int
  /// One panel of packed weights: `[tap][channel][panel width]`.
  var weights: UnsafePointer<Float>
  /// The weights that will be needed next: this tile's share of them is prefetched while it computes.
  var ahead: UnsafePointer<Float>
  /// The floats of that share for each channel.
  var aheadStep: Int
  /// The bias of each output of the panel, or zeros.
  var bias: UnsafePointer<Float>
  /// For each pixel, where its row of outputs is.
  var outputs: UnsafePointer<UnsafeMutablePointer<Float>>
  /// The first of the tile's outputs in that row.
  var column: Int
  /// How many outputs the tile has: the panel's width or fewer.
  var columns: Int
  /// How many pixels the tile has.
  var count: Int
  /// Always 1, but opaque to the optimiser, so that a multiply–add by it is not folded into an add.
  var one: Float
  /// Whether the lines that will be written are fetched before: worth it where they are not in the core's own cache.
  var fetchesTargets = false
  /// What is done to the sums.
  var epilogue: EpiloguePointers
}

extension TileArguments {
  /// Applies an epilogue with a residual to the stored sums, which are in the first-level cache. Done to the accumulators
  /// instead, it would exceed the compiler's budget for inlining: 24 calls, each with a vector in four parts.
  @inline(never)
  func finish() {
    for row in 0..<count { epilogue.finish(outputs[row] + column, columns) }
  }

  /// Asks for the lines that will be written, and for their residuals: they arrive while the sums are computed.
  @inline(__always)
  func prefetchTargets() {
    for row in 0..<count {
      for vector in stride(from: 0, to: columns, by: Vector.scalarCount) {
        epilogue.prefetch(outputs[row] + column + vector)
      }
    }
  }
}

/// The pixels of the largest tile that there is. Full tiles have `tileRows`; the tests run the others everywhere.
let largestTileRows = 12

extension TileArguments {
  /// Runs the smallest microkernel that has room for the tile's pixels.
  ///
  /// - Parameter single: whether the panel is one vector of outputs wide, not two.
  @inline(__always)
  func run<Step: Accumulation>(single: Bool, _ step: Step.Type) {
    switch (count, single) {
    case (...6, false): Tile<Rows6<PixelRow<TwoVectors, Step>>, TwoVectors, UnitStride>.run(self)
    case (...8, false): Tile<Rows8<PixelRow<TwoVectors, Step>>, TwoVectors, UnitStride>.run(self)
    case (...10, false): Tile<Rows10<PixelRow<TwoVectors, Step>>, TwoVectors, UnitStride>.run(self)
    case (_, false): Tile<Rows12<PixelRow<TwoVectors, Step>>, TwoVectors, UnitStride>.run(self)
    case (...6, true): Tile<Rows6<PixelRow<OneVector, Step>>, OneVector, UnitStride>.run(self)
    case (_, true): Tile<Rows12<PixelRow<OneVector, Step>>, OneVector, UnitStride>.run(self)
    }
  }

  /// The same where channels lie apart, with fewer sizes.
  @inline(__always)
  func runStrided<Step: Accumulation>(single: Bool, _ step: Step.Type) {
    switch (count, single) {
    case (...6, false): Tile<Rows6<PixelRow<TwoVectors, Step>>, TwoVectors, AnyStride>.run(self)
    case (_, false): Tile<Rows12<PixelRow<TwoVectors, Step>>, TwoVectors, AnyStride>.run(self)
    case (...6, true): Tile<Rows6<PixelRow<OneVector, Step>>, OneVector, AnyStride>.run(self)
    case (_, true): Tile<Rows12<PixelRow<OneVector, Step>>, OneVector, AnyStride>.run(self)
    }
  }
}
