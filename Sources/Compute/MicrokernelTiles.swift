import CHints

// The tiles below are written out, pixel by pixel: the compiler keeps named variables in registers, but not
// the elements of an array that a loop runs over.

/// A tile of 6 pixels: `sums[pixel] = start + Σ over slots, channels of step(x, w)`.
@inline(__always)
func tile6<Row: TileRow, Step: CombineStep, Stride: ChannelStride>(
  _ tile: TileArguments, _ row: Row.Type, _ step: Step.Type, _ stride: Stride.Type
) {
  let start = Row.load(tile.start)
  var r0 = Row(start)
  var r1 = Row(start)
  var r2 = Row(start)
  var r3 = Row(start)
  var r4 = Row(start)
  var r5 = Row(start)
  var ahead = tile.ahead
  let unit = Vector(repeating: tile.unit)
  for slot in 0..<tile.slots {
    let rows = tile.rows + slot &* tileRows
    let p0 = rows[0]
    let p1 = rows[1]
    let p2 = rows[2]
    let p3 = rows[3]
    let p4 = rows[4]
    let p5 = rows[5]
    let run = tile.runs[slot]
    var w = tile.weights + run.first &* Row.width
    var c = 0
    for _ in 0..<run.count {
      let weights = Row.load(w)
      r0.add(p0[c], weights, unit, step)
      r1.add(p1[c], weights, unit, step)
      r2.add(p2[c], weights, unit, step)
      r3.add(p3[c], weights, unit, step)
      r4.add(p4[c], weights, unit, step)
      r5.add(p5[c], weights, unit, step)
      w += Row.width
      c = Stride.next(c, tile.step)
      if Row.fetchesAhead {
        workbench_prefetch(ahead)
        ahead += tile.aheadStep
      }
    }
  }
  if tile.columns >= Row.width {
    if 0 < tile.count { r0.store(tile.outputs[0] + tile.column, tile.finish) }
    if 1 < tile.count { r1.store(tile.outputs[1] + tile.column, tile.finish) }
    if 2 < tile.count { r2.store(tile.outputs[2] + tile.column, tile.finish) }
    if 3 < tile.count { r3.store(tile.outputs[3] + tile.column, tile.finish) }
    if 4 < tile.count { r4.store(tile.outputs[4] + tile.column, tile.finish) }
    if 5 < tile.count { r5.store(tile.outputs[5] + tile.column, tile.finish) }
  } else {
    withUnsafeTemporaryAllocation(of: Row.self, capacity: 6) { rows in
      rows[0] = r0
      rows[1] = r1
      rows[2] = r2
      rows[3] = r3
      rows[4] = r4
      rows[5] = r5
      storeParts(UnsafeRawPointer(rows.baseAddress.unsafelyUnwrapped), Row.width, tile)
    }
  }
}

#if WORKBENCH_AVX512
  /// A tile of 8 pixels: `sums[pixel] = start + Σ over slots, channels of step(x, w)`.
  @inline(__always)
  func tile8<Row: TileRow, Step: CombineStep, Stride: ChannelStride>(
    _ tile: TileArguments, _ row: Row.Type, _ step: Step.Type, _ stride: Stride.Type
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
    var ahead = tile.ahead
    let unit = Vector(repeating: tile.unit)
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
      let run = tile.runs[slot]
      var w = tile.weights + run.first &* Row.width
      var c = 0
      for _ in 0..<run.count {
        let weights = Row.load(w)
        r0.add(p0[c], weights, unit, step)
        r1.add(p1[c], weights, unit, step)
        r2.add(p2[c], weights, unit, step)
        r3.add(p3[c], weights, unit, step)
        r4.add(p4[c], weights, unit, step)
        r5.add(p5[c], weights, unit, step)
        r6.add(p6[c], weights, unit, step)
        r7.add(p7[c], weights, unit, step)
        w += Row.width
        c = Stride.next(c, tile.step)
        if Row.fetchesAhead {
          workbench_prefetch(ahead)
          ahead += tile.aheadStep
        }
      }
    }
    if tile.columns >= Row.width {
      if 0 < tile.count { r0.store(tile.outputs[0] + tile.column, tile.finish) }
      if 1 < tile.count { r1.store(tile.outputs[1] + tile.column, tile.finish) }
      if 2 < tile.count { r2.store(tile.outputs[2] + tile.column, tile.finish) }
      if 3 < tile.count { r3.store(tile.outputs[3] + tile.column, tile.finish) }
      if 4 < tile.count { r4.store(tile.outputs[4] + tile.column, tile.finish) }
      if 5 < tile.count { r5.store(tile.outputs[5] + tile.column, tile.finish) }
      if 6 < tile.count { r6.store(tile.outputs[6] + tile.column, tile.finish) }
      if 7 < tile.count { r7.store(tile.outputs[7] + tile.column, tile.finish) }
    } else {
      withUnsafeTemporaryAllocation(of: Row.self, capacity: 8) { rows in
        rows[0] = r0
        rows[1] = r1
        rows[2] = r2
        rows[3] = r3
        rows[4] = r4
        rows[5] = r5
        rows[6] = r6
        rows[7] = r7
        storeParts(UnsafeRawPointer(rows.baseAddress.unsafelyUnwrapped), Row.width, tile)
      }
    }
  }

  /// A tile of 10 pixels: `sums[pixel] = start + Σ over slots, channels of step(x, w)`.
  @inline(__always)
  func tile10<Row: TileRow, Step: CombineStep, Stride: ChannelStride>(
    _ tile: TileArguments, _ row: Row.Type, _ step: Step.Type, _ stride: Stride.Type
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
    var ahead = tile.ahead
    let unit = Vector(repeating: tile.unit)
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
      let run = tile.runs[slot]
      var w = tile.weights + run.first &* Row.width
      var c = 0
      for _ in 0..<run.count {
        let weights = Row.load(w)
        r0.add(p0[c], weights, unit, step)
        r1.add(p1[c], weights, unit, step)
        r2.add(p2[c], weights, unit, step)
        r3.add(p3[c], weights, unit, step)
        r4.add(p4[c], weights, unit, step)
        r5.add(p5[c], weights, unit, step)
        r6.add(p6[c], weights, unit, step)
        r7.add(p7[c], weights, unit, step)
        r8.add(p8[c], weights, unit, step)
        r9.add(p9[c], weights, unit, step)
        w += Row.width
        c = Stride.next(c, tile.step)
        if Row.fetchesAhead {
          workbench_prefetch(ahead)
          ahead += tile.aheadStep
        }
      }
    }
    if tile.columns >= Row.width {
      if 0 < tile.count { r0.store(tile.outputs[0] + tile.column, tile.finish) }
      if 1 < tile.count { r1.store(tile.outputs[1] + tile.column, tile.finish) }
      if 2 < tile.count { r2.store(tile.outputs[2] + tile.column, tile.finish) }
      if 3 < tile.count { r3.store(tile.outputs[3] + tile.column, tile.finish) }
      if 4 < tile.count { r4.store(tile.outputs[4] + tile.column, tile.finish) }
      if 5 < tile.count { r5.store(tile.outputs[5] + tile.column, tile.finish) }
      if 6 < tile.count { r6.store(tile.outputs[6] + tile.column, tile.finish) }
      if 7 < tile.count { r7.store(tile.outputs[7] + tile.column, tile.finish) }
      if 8 < tile.count { r8.store(tile.outputs[8] + tile.column, tile.finish) }
      if 9 < tile.count { r9.store(tile.outputs[9] + tile.column, tile.finish) }
    } else {
      withUnsafeTemporaryAllocation(of: Row.self, capacity: 10) { rows in
        rows[0] = r0
        rows[1] = r1
        rows[2] = r2
        rows[3] = r3
        rows[4] = r4
        rows[5] = r5
        rows[6] = r6
        rows[7] = r7
        rows[8] = r8
        rows[9] = r9
        storeParts(UnsafeRawPointer(rows.baseAddress.unsafelyUnwrapped), Row.width, tile)
      }
    }
  }

  /// A tile of 12 pixels: `sums[pixel] = start + Σ over slots, channels of step(x, w)`.
  @inline(__always)
  func tile12<Row: TileRow, Step: CombineStep, Stride: ChannelStride>(
    _ tile: TileArguments, _ row: Row.Type, _ step: Step.Type, _ stride: Stride.Type
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
    var ahead = tile.ahead
    let unit = Vector(repeating: tile.unit)
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
      let run = tile.runs[slot]
      var w = tile.weights + run.first &* Row.width
      var c = 0
      for _ in 0..<run.count {
        let weights = Row.load(w)
        r0.add(p0[c], weights, unit, step)
        r1.add(p1[c], weights, unit, step)
        r2.add(p2[c], weights, unit, step)
        r3.add(p3[c], weights, unit, step)
        r4.add(p4[c], weights, unit, step)
        r5.add(p5[c], weights, unit, step)
        r6.add(p6[c], weights, unit, step)
        r7.add(p7[c], weights, unit, step)
        r8.add(p8[c], weights, unit, step)
        r9.add(p9[c], weights, unit, step)
        r10.add(p10[c], weights, unit, step)
        r11.add(p11[c], weights, unit, step)
        w += Row.width
        c = Stride.next(c, tile.step)
        if Row.fetchesAhead {
          workbench_prefetch(ahead)
          ahead += tile.aheadStep
        }
      }
    }
    if tile.columns >= Row.width {
      if 0 < tile.count { r0.store(tile.outputs[0] + tile.column, tile.finish) }
      if 1 < tile.count { r1.store(tile.outputs[1] + tile.column, tile.finish) }
      if 2 < tile.count { r2.store(tile.outputs[2] + tile.column, tile.finish) }
      if 3 < tile.count { r3.store(tile.outputs[3] + tile.column, tile.finish) }
      if 4 < tile.count { r4.store(tile.outputs[4] + tile.column, tile.finish) }
      if 5 < tile.count { r5.store(tile.outputs[5] + tile.column, tile.finish) }
      if 6 < tile.count { r6.store(tile.outputs[6] + tile.column, tile.finish) }
      if 7 < tile.count { r7.store(tile.outputs[7] + tile.column, tile.finish) }
      if 8 < tile.count { r8.store(tile.outputs[8] + tile.column, tile.finish) }
      if 9 < tile.count { r9.store(tile.outputs[9] + tile.column, tile.finish) }
      if 10 < tile.count { r10.store(tile.outputs[10] + tile.column, tile.finish) }
      if 11 < tile.count { r11.store(tile.outputs[11] + tile.column, tile.finish) }
    } else {
      withUnsafeTemporaryAllocation(of: Row.self, capacity: 12) { rows in
        rows[0] = r0
        rows[1] = r1
        rows[2] = r2
        rows[3] = r3
        rows[4] = r4
        rows[5] = r5
        rows[6] = r6
        rows[7] = r7
        rows[8] = r8
        rows[9] = r9
        rows[10] = r10
        rows[11] = r11
        storeParts(UnsafeRawPointer(rows.baseAddress.unsafelyUnwrapped), Row.width, tile)
      }
    }
  }
#endif

/// Stores the sums of a tile with fewer outputs than its panel is wide.
@inline(never)
private func storeParts(_ sums: UnsafeRawPointer, _ width: Int, _ tile: TileArguments) {
  let sums = sums.assumingMemoryBound(to: Float.self)
  for row in 0..<tile.count {
    tile.finish.storePart(sums + row &* width, tile.outputs[row] + tile.column, tile.columns)
  }
}
