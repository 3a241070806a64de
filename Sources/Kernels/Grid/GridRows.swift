import Compute
import Tensors

/// The row tables of a regular grid: where the windows of a convolution read, and what reads an input pixel.
struct GridRows {
  let geometry: ConvolutionGeometry
  let input: FeatureShape
  let output: FeatureShape

  /// How far each tap reads from a window's corner, in pixels of the input.
  private let forwardOffsets: [Int]
  private let allTaps: [Int]
  /// The pixels of the input, sorted by which taps reach them.
  private let phases: [Phase]

  init(_ geometry: ConvolutionGeometry, input: FeatureShape, output: FeatureShape) {
    self.geometry = geometry
    self.input = input
    self.output = output
    let taps = (0..<geometry.taps).map {
      (
        $0 / geometry.kernel.width * geometry.dilation.height,
        $0 % geometry.kernel.width * geometry.dilation.width
      )
    }
    allTaps = Array(taps.indices)
    forwardOffsets = taps.map { $0.0 * input.width + $0.1 }
    phases = Phase.all(geometry, input: input, output: output)
  }

  /// Fills all slots from the places of a tile's pixels, where every tap of every pixel lies inside.
  @inline(__always)
  private func fillInner(
    _ count: Int, _ table: RowTable, _ places: UnsafePointer<UnsafePointer<Float>>, _ offsets: [Int],
    taps: [Int], _ channels: Int
  ) -> Int {
    offsets.withUnsafeBufferPointer { offsets in
      taps.withUnsafeBufferPointer { taps in
        for slot in 0..<offsets.count {
          let distance = offsets[slot] &* channels, pointers = table.slot(slot)
          table.setTap(slot: slot, taps[slot])
          for index in 0..<count { pointers[index] = places[index] + distance }
        }
        return offsets.count
      }
    }
  }

  /// Fills the table of a tile of output pixels.
  ///
  /// - Parameters:
  ///   - zeros: a row of zeros as long as a pixel of x.
  ///   - skipsPadding: whether taps that only read zeros may be left out.
  @inline(__always)
  func fillForward(
    _ range: Range<Int>, _ table: RowTable, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, skipsPadding: Bool
  ) -> Int {
    let g = geometry, channels = input.channels
    return withUnsafeTemporaryAllocation(of: (Int, Int, Int).self, capacity: RowTable.capacity) { origins in
      var (image, row, column) = position(range.lowerBound, output)
      var isInner = true
      let lastRow = input.height - 1 - g.dilation.height * (g.kernel.height - 1)
      let lastColumn = input.width - 1 - g.dilation.width * (g.kernel.width - 1)
      for index in 0..<range.count {
        table.outputRows[index] = y + (range.lowerBound + index) * output.channels
        origins[index] = (
          image * input.height, row * g.stride.height - g.padding.top,
          column * g.stride.width - g.padding.left
        )
        let (_, top, left) = origins[index]
        isInner = isInner && top >= 0 && top <= lastRow && left >= 0 && left <= lastColumn
        advance(&image, &row, &column, output)
      }
      if isInner {
        return withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: RowTable.capacity) {
          places in
          for index in 0..<range.count {
            let (first, top, left) = origins[index]
            places[index] = x + ((first &+ top) &* input.width &+ left) &* channels
          }
          return fillInner(
            range.count, table, UnsafePointer(places.baseAddress.unsafelyUnwrapped), forwardOffsets,
            taps: allTaps, channels)
        }
      }
      var slots = 0
      for tapRow in 0..<g.kernel.height {
        for tapColumn in 0..<g.kernel.width {
          let dy = tapRow * g.dilation.height, dx = tapColumn * g.dilation.width
          let pointers = table.slot(slots)
          var reads = !skipsPadding
          for index in 0..<range.count {
            let (first, top, left) = origins[index]
            let y = top &+ dy, x0 = left &+ dx
            if UInt(bitPattern: y) < UInt(bitPattern: input.height),
              UInt(bitPattern: x0) < UInt(bitPattern: input.width)
            {
              pointers[index] = x + ((first &+ y) &* input.width &+ x0) &* channels
              reads = true
            } else {
              pointers[index] = zeros
            }
          }
          if reads {
            table.setTap(slot: slots, tapRow * g.kernel.width + tapColumn)
            slots += 1
          }
        }
      }
      return slots
    }
  }

  /// Writes where each of a range of output pixels reads a tap.
  @inline(__always)
  func fillTap(
    _ tap: Int, _ range: Range<Int>, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    into pointers: UnsafeMutablePointer<UnsafePointer<Float>>
  ) {
    let g = geometry, channels = input.channels
    let dy = tap / g.kernel.width * g.dilation.height - g.padding.top
    let dx = tap % g.kernel.width * g.dilation.width - g.padding.left
    var (image, row, column) = position(range.lowerBound, output)
    for index in 0..<range.count {
      let y = row &* g.stride.height &+ dy, x0 = column &* g.stride.width &+ dx
      if UInt(bitPattern: y) < UInt(bitPattern: input.height),
        UInt(bitPattern: x0) < UInt(bitPattern: input.width)
      {
        pointers[index] = x + ((image &* input.height &+ y) &* input.width &+ x0) &* channels
      } else {
        pointers[index] = zeros
      }
      advance(&image, &row, &column, output)
    }
  }

  /// Fills the table of a tile of input pixels with the output gradients that reach them.
  ///
  /// Input pixels are numbered phase by phase, so that a strided convolution's backward pass multiplies no zeros
  /// between the taps.
  @inline(__always)
  func fillBackward(
    _ range: Range<Int>, _ table: RowTable, g gradient: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    dx: UnsafeMutablePointer<Float>
  ) -> Int {
    let index = phases.lastIndex { $0.numbers.lowerBound <= range.lowerBound } ?? 0
    let phase = phases[index]
    guard range.upperBound <= phase.numbers.upperBound else {
      return fillMixed(range, table, g: gradient, zeros: zeros, dx: dx)
    }
    let channels = output.channels
    return withUnsafeTemporaryAllocation(of: (Int, Int, Int).self, capacity: RowTable.capacity) { origins in
      var (image, row, column) = position(range.lowerBound - phase.numbers.lowerBound, phase.grid)
      var isInner = true
      for index in 0..<range.count {
        table.outputRows[index] = dx + phase.inputPixel(image, row, column, input) * input.channels
        origins[index] = (image * output.height, row, column)
        isInner = isInner && phase.inner.contains(row, column)
        advance(&image, &row, &column, phase.grid)
      }
      if isInner {
        return withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: RowTable.capacity) {
          places in
          for index in 0..<range.count {
            let (first, y, x) = origins[index]
            places[index] = gradient + ((first &+ y) &* output.width &+ x) &* channels
          }
          return fillInner(
            range.count, table, UnsafePointer(places.baseAddress.unsafelyUnwrapped), phase.offsets,
            taps: phase.taps, channels)
        }
      }
      var slots = 0
      for (tap, (dy, dx)) in zip(phase.taps, phase.moves) {
        let pointers = table.slot(slots)
        var reads = false
        for index in 0..<range.count {
          let (first, top, left) = origins[index]
          let y = top &+ dy, x = left &+ dx
          if UInt(bitPattern: y) < UInt(bitPattern: output.height),
            UInt(bitPattern: x) < UInt(bitPattern: output.width)
          {
            pointers[index] = gradient + ((first &+ y) &* output.width &+ x) &* channels
            reads = true
          } else {
            pointers[index] = zeros
          }
        }
        if reads {
          table.setTap(slot: slots, tap)
          slots += 1
        }
      }
      return slots
    }
  }

  /// The same for one of the few tiles that begin in one phase and end in another.
  @inline(never)
  private func fillMixed(
    _ range: Range<Int>, _ table: RowTable, g gradient: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    dx: UnsafeMutablePointer<Float>
  ) -> Int {
    for tap in 0..<geometry.taps {
      table.setTap(slot: tap, tap)
      for index in 0..<range.count { table.slot(tap)[index] = zeros }
    }
    for (index, number) in range.enumerated() {
      guard let phase = phases.first(where: { $0.numbers.contains(number) }) else { continue }
      let (image, row, column) = position(number - phase.numbers.lowerBound, phase.grid)
      table.outputRows[index] = dx + phase.inputPixel(image, row, column, input) * input.channels
      for (tap, (dy, dx)) in zip(phase.taps, phase.moves) {
        let y = row + dy, x = column + dx
        guard (0..<output.height).contains(y), (0..<output.width).contains(x) else { continue }
        table.slot(tap)[index] =
          gradient + ((image * output.height + y) * output.width + x) * output.channels
      }
    }
    return geometry.taps
  }

  /// The image, row and column of a pixel counted in memory order.
  @inline(__always)
  private func position(_ pixel: Int, _ shape: FeatureShape) -> (Int, Int, Int) {
    let (rows, column) = pixel.quotientAndRemainder(dividingBy: shape.width)
    let (image, row) = rows.quotientAndRemainder(dividingBy: shape.height)
    return (image, row, column)
  }

  @inline(__always)
  private func advance(_ image: inout Int, _ row: inout Int, _ column: inout Int, _ shape: FeatureShape) {
    column &+= 1
    if column == shape.width {
      column = 0
      row &+= 1
      if row == shape.height {
        row = 0
        image &+= 1
      }
    }
  }
}
