import Compute
import Tensors

/// The transpose of a regular grid: the output gradients that reach an input pixel.
struct TransposedGrid: TransposedRows {
  private let geometry: ConvolutionGeometry
  private let input: FeatureShape
  private let output: FeatureShape
  /// The pixels of the input, sorted by the taps that read them.
  private let phases: [Phase]

  init(_ geometry: ConvolutionGeometry, input: FeatureShape, output: FeatureShape) {
    self.geometry = geometry
    self.input = input
    self.output = output
    phases = Phase.all(geometry, input: input, output: output)
  }

  /// Input pixels are numbered phase by phase, so that a strided convolution's backward pass multiplies no zeros
  /// between the taps.
  func fillTransposed(
    _ range: Range<Int>, _ table: RowTable, g gradient: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    dx: UnsafeMutablePointer<Float>
  ) -> Int {
    if geometry.readsPixelsInOrder {
      let pixels = gradient + range.lowerBound &* output.channels
      for index in 0..<range.count {
        table.outputRows[index] = dx + (range.lowerBound &+ index) &* input.channels
        table.slot(0)[index] = pixels + index &* output.channels
      }
      table.setTap(slot: 0, 0)
      return 1
    }
    let index = phases.lastIndex { $0.numbers.lowerBound <= range.lowerBound } ?? 0
    let phase = phases[index]
    guard range.upperBound <= phase.numbers.upperBound else {
      return fillMixed(range, table, g: gradient, zeros: zeros, dx: dx)
    }
    let channels = output.channels
    return withUnsafeTemporaryAllocation(of: (Int, Int, Int).self, capacity: RowTable.capacity) { origins in
      var (image, row, column) = phase.grid.position(range.lowerBound - phase.numbers.lowerBound)
      var isInner = true
      for index in 0..<range.count {
        table.outputRows[index] = dx + phase.inputPixel(image, row, column, input) * input.channels
        origins[index] = (image * output.height, row, column)
        isInner = isInner && phase.inner.contains(row, column)
        phase.grid.advance(&image, &row, &column)
      }
      if isInner {
        return withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: RowTable.capacity) {
          places in
          for index in 0..<range.count {
            let (first, y, x) = origins[index]
            places[index] = gradient + ((first &+ y) &* output.width &+ x) &* channels
          }
          return table.fillInner(
            range.count, UnsafePointer(places.baseAddress.unsafelyUnwrapped), phase.offsets,
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
      let (image, row, column) = phase.grid.position(number - phase.numbers.lowerBound)
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
}

extension RowTable {
  /// Fills all slots from the places of a tile's pixels, where every tap of every pixel is inside the image.
  @inline(__always)
  func fillInner(
    _ count: Int, _ places: UnsafePointer<UnsafePointer<Float>>, _ offsets: [Int], taps: [Int],
    _ channels: Int
  ) -> Int {
    offsets.withUnsafeBufferPointer { offsets in
      taps.withUnsafeBufferPointer { taps in
        for slot in 0..<offsets.count {
          let distance = offsets[slot] &* channels, pointers = self.slot(slot)
          setTap(slot: slot, taps[slot])
          for index in 0..<count { pointers[index] = places[index] + distance }
        }
        return offsets.count
      }
    }
  }
}

extension FeatureShape {
  /// The image, row and column of a pixel counted in memory order.
  @inline(__always)
  func position(_ pixel: Int) -> (image: Int, row: Int, column: Int) {
    let (rows, column) = pixel.quotientAndRemainder(dividingBy: width)
    let (image, row) = rows.quotientAndRemainder(dividingBy: height)
    return (image, row, column)
  }

  /// Advances by one pixel in memory order.
  @inline(__always)
  func advance(_ image: inout Int, _ row: inout Int, _ column: inout Int) {
    column &+= 1
    if column == width {
      column = 0
      row &+= 1
      if row == height {
        row = 0
        image &+= 1
      }
    }
  }
}
