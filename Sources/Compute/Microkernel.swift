/// What a microkernel reads and writes.
struct TileArguments {
  /// Where to read: `slots` × `tileRows` pointers to rows of `channels` floats.
  var rows: UnsafePointer<UnsafePointer<Float>>
  /// For each slot, which tap's weights to use.
  var taps: UnsafePointer<Int>
  /// The number of slots.
  var slots: Int
  /// The channels of a row that are summed over.
  var channels: Int
  /// One panel of packed weights: `[tap][channel][panel width]`.
  var weights: UnsafePointer<Float>
  /// What the sums start from: the bias of each output of the panel, or zeros.
  var start: UnsafePointer<Float>
  /// The results: `tileRows` rows of at most `tileWidth` floats.
  var sums: UnsafeMutablePointer<Float>
  /// The floats from one row of results to the next.
  var sumsRow = tileWidth
}

/// The pixels of a full tile: as many as leave room in the registers for the weights and one broadcast.
#if WORKBENCH_AVX512
  let tileRows = 12
#else
  let tileRows = 6
#endif

/// The output channels of a full tile.
let tileWidth = 2 &* Vector.scalarCount

/// Runs the microkernel for `count` pixels (at most `tileRows`) and a panel of one or two vectors.
///
/// The results of the pixels from `count` on are undefined.
@inline(__always)
func runTile(_ tile: TileArguments, count: Int, single: Bool, combine: Combine) {
  #if WORKBENCH_AVX512
    if count > 6 {
      switch (combine, single) {
      case (.multiply, false): tile12(tile, PairRow.self, MultiplyStep.self)
      case (.multiply, true): tile12(tile, SingleRow.self, MultiplyStep.self)
      case (.adder, false): tile12(tile, PairRow.self, AdderStep.self)
      case (.adder, true): tile12(tile, SingleRow.self, AdderStep.self)
      }
      return
    }
  #endif
  switch (combine, single) {
  case (.multiply, false): tile6(tile, PairRow.self, MultiplyStep.self)
  case (.multiply, true): tile6(tile, SingleRow.self, MultiplyStep.self)
  case (.adder, false): tile6(tile, PairRow.self, AdderStep.self)
  case (.adder, true): tile6(tile, SingleRow.self, AdderStep.self)
  }
}

// The tiles below are written out, pixel by pixel: the compiler keeps named variables in registers, but not
// the elements of an array that a loop runs over.

/// A tile of 6 pixels: `sums[pixel] = start + Σ over slots, channels of step(x, w)`.
@inline(__always)
func tile6<Row: TileRow, Step: CombineStep>(
  _ tile: TileArguments, _ row: Row.Type, _ step: Step.Type
) {
  let start = Row.load(tile.start)
  var r0 = Row(start)
  var r1 = Row(start)
  var r2 = Row(start)
  var r3 = Row(start)
  var r4 = Row(start)
  var r5 = Row(start)
  for slot in 0..<tile.slots {
    let rows = tile.rows + slot &* tileRows
    let p0 = rows[0]
    let p1 = rows[1]
    let p2 = rows[2]
    let p3 = rows[3]
    let p4 = rows[4]
    let p5 = rows[5]
    var w = tile.weights + tile.taps[slot] &* tile.channels &* Row.width
    for c in 0..<tile.channels {
      let weights = Row.load(w)
      r0.add(p0[c], weights, step)
      r1.add(p1[c], weights, step)
      r2.add(p2[c], weights, step)
      r3.add(p3[c], weights, step)
      r4.add(p4[c], weights, step)
      r5.add(p5[c], weights, step)
      w += Row.width
    }
  }
  r0.store(tile.sums + 0 &* tile.sumsRow)
  r1.store(tile.sums + 1 &* tile.sumsRow)
  r2.store(tile.sums + 2 &* tile.sumsRow)
  r3.store(tile.sums + 3 &* tile.sumsRow)
  r4.store(tile.sums + 4 &* tile.sumsRow)
  r5.store(tile.sums + 5 &* tile.sumsRow)
}

#if WORKBENCH_AVX512
  /// A tile of 12 pixels: `sums[pixel] = start + Σ over slots, channels of step(x, w)`.
  @inline(__always)
  func tile12<Row: TileRow, Step: CombineStep>(
    _ tile: TileArguments, _ row: Row.Type, _ step: Step.Type
  ) {
    let start = Row.load(tile.start)
    var r0 = Row(start)
    var r1 = Row(start)
    var r2 = Row(start)
    var r3 = Row(start)
    var r4 = Row(start)
    var r5 = Row(start)
    var r6 = Row(start)
    var r7 = Row(start)
    var r8 = Row(start)
    var r9 = Row(start)
    var r10 = Row(start)
    var r11 = Row(start)
    for slot in 0..<tile.slots {
      let rows = tile.rows + slot &* tileRows
      let p0 = rows[0]
      let p1 = rows[1]
      let p2 = rows[2]
      let p3 = rows[3]
      let p4 = rows[4]
      let p5 = rows[5]
      let p6 = rows[6]
      let p7 = rows[7]
      let p8 = rows[8]
      let p9 = rows[9]
      let p10 = rows[10]
      let p11 = rows[11]
      var w = tile.weights + tile.taps[slot] &* tile.channels &* Row.width
      for c in 0..<tile.channels {
        let weights = Row.load(w)
        r0.add(p0[c], weights, step)
        r1.add(p1[c], weights, step)
        r2.add(p2[c], weights, step)
        r3.add(p3[c], weights, step)
        r4.add(p4[c], weights, step)
        r5.add(p5[c], weights, step)
        r6.add(p6[c], weights, step)
        r7.add(p7[c], weights, step)
        r8.add(p8[c], weights, step)
        r9.add(p9[c], weights, step)
        r10.add(p10[c], weights, step)
        r11.add(p11[c], weights, step)
        w += Row.width
      }
    }
    r0.store(tile.sums + 0 &* tile.sumsRow)
    r1.store(tile.sums + 1 &* tile.sumsRow)
    r2.store(tile.sums + 2 &* tile.sumsRow)
    r3.store(tile.sums + 3 &* tile.sumsRow)
    r4.store(tile.sums + 4 &* tile.sumsRow)
    r5.store(tile.sums + 5 &* tile.sumsRow)
    r6.store(tile.sums + 6 &* tile.sumsRow)
    r7.store(tile.sums + 7 &* tile.sumsRow)
    r8.store(tile.sums + 8 &* tile.sumsRow)
    r9.store(tile.sums + 9 &* tile.sumsRow)
    r10.store(tile.sums + 10 &* tile.sumsRow)
    r11.store(tile.sums + 11 &* tile.sumsRow)
  }
#endif
