/// What a microkernel reads and writes.
struct TileArguments {
  /// Where to read: `slots` × `tileRows` pointers to rows of `channels` floats.
  var rows: UnsafePointer<UnsafePointer<Float>>
  /// For each slot, which of the panel's rows its channels meet, and how many there are.
  var runs: UnsafePointer<SlotRun>
  /// The distance of a slot's channels.
  var step = 1
  /// The number of slots.
  var slots: Int
  /// One panel of packed weights: `[tap][channel][panel width]`.
  var weights: UnsafePointer<Float>
  /// The weights that will be needed next: this tile's share of them is fetched while it computes.
  var ahead: UnsafePointer<Float>
  /// The floats of that share for each channel.
  var aheadStep: Int
  /// What the sums start from: the bias of each output of the panel, or zeros.
  var start: UnsafePointer<Float>
  /// For each pixel, where its row of outputs is.
  var outputs: UnsafePointer<UnsafeMutablePointer<Float>>
  /// The first of the tile's outputs in that row.
  var column: Int
  /// How many outputs the tile has: the panel's width or fewer.
  var columns: Int
  /// How many pixels the tile has: `tileRows` or fewer.
  var count: Int
  /// 1, from where the compiler cannot see it.
  var unit: Float
  /// What is done to the sums before they are stored.
  var finish: StoreOptions
}

/// The pixels of a full tile: as many as leave room in the registers for the weights and one broadcast.
#if WORKBENCH_AVX512
  let tileRows = 12
#else
  let tileRows = 6
#endif

/// The output channels of a full tile.
let tileWidth = 2 &* Vector.scalarCount

/// Runs the microkernel for a tile of at most `tileRows` pixels and a panel of one or two vectors.
@inline(__always)
func runTile(_ tile: TileArguments, single: Bool, _ step: TileStep) {
  if tile.step != 1 { return runStridedTile(tile, single: single, step) }
  #if WORKBENCH_AVX512
    switch (tile.count, step, single) {
    case (...6, _, _): break
    case (...8, .product, false): return tile8(tile, PairRow.self, MultiplyStep.self, UnitStride.self)
    case (...10, .product, false): return tile10(tile, PairRow.self, MultiplyStep.self, UnitStride.self)
    case (_, .product, false): return tile12(tile, PairRow.self, MultiplyStep.self, UnitStride.self)
    case (_, .product, true): return tile12(tile, SingleRow.self, MultiplyStep.self, UnitStride.self)
    case (_, .distance, false): return tile12(tile, PairRow.self, AdderStep.self, UnitStride.self)
    case (_, .distance, true): return tile12(tile, SingleRow.self, AdderStep.self, UnitStride.self)
    case (_, .maximum, false): return tile12(tile, PairRow.self, MaximumStep.self, UnitStride.self)
    case (_, .maximum, true): return tile12(tile, SingleRow.self, MaximumStep.self, UnitStride.self)
    case (_, .largestSum, false): return tile12(tile, PairRow.self, LargestSumStep.self, UnitStride.self)
    case (_, .largestSum, true): return tile12(tile, SingleRow.self, LargestSumStep.self, UnitStride.self)
    }
  #endif
  switch (step, single) {
  case (.product, false): tile6(tile, PairRow.self, MultiplyStep.self, UnitStride.self)
  case (.product, true): tile6(tile, SingleRow.self, MultiplyStep.self, UnitStride.self)
  case (.distance, false): tile6(tile, PairRow.self, AdderStep.self, UnitStride.self)
  case (.distance, true): tile6(tile, SingleRow.self, AdderStep.self, UnitStride.self)
  case (.maximum, false): tile6(tile, PairRow.self, MaximumStep.self, UnitStride.self)
  case (.maximum, true): tile6(tile, SingleRow.self, MaximumStep.self, UnitStride.self)
  case (.largestSum, false): tile6(tile, PairRow.self, LargestSumStep.self, UnitStride.self)
  case (.largestSum, true): tile6(tile, SingleRow.self, LargestSumStep.self, UnitStride.self)
  }
}

/// Channels that do not lie side by side: for products only, and with fewer tiles.
@inline(never)
private func runStridedTile(_ tile: TileArguments, single: Bool, _ step: TileStep) {
  precondition(step == .product, "only products take channels apart")
  #if WORKBENCH_AVX512
    if tile.count > 6, !single { return tile12(tile, PairRow.self, MultiplyStep.self, AnyStride.self) }
    if tile.count > 6 { return tile12(tile, SingleRow.self, MultiplyStep.self, AnyStride.self) }
  #endif
  if single {
    tile6(tile, SingleRow.self, MultiplyStep.self, AnyStride.self)
  } else {
    tile6(tile, PairRow.self, MultiplyStep.self, AnyStride.self)
  }
}

/// How far a row's channels lie apart.
protocol ChannelStride {
  static func next(_ channel: Int, _ step: Int) -> Int
}

enum UnitStride: ChannelStride {
  @inline(__always) static func next(_ channel: Int, _ step: Int) -> Int { channel &+ 1 }
}

enum AnyStride: ChannelStride {
  @inline(__always) static func next(_ channel: Int, _ step: Int) -> Int { channel &+ step }
}
