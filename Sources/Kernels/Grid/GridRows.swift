import Compute
import Tensors

/// The row tables of a regular grid: where the windows of a convolution read, and what reads an input pixel.
struct GridRows {
  let geometry: ConvolutionGeometry
  let input: FeatureShape
  let output: FeatureShape

  /// How far each tap reads from a window's corner, in pixels of the input.
  private let forwardOffsets: [Int]
  /// How far behind its own place an input pixel's gradient reads for each tap, in pixels of the output.
  private let backwardOffsets: [Int]

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
    forwardOffsets = taps.map { $0.0 * input.width + $0.1 }
    backwardOffsets = taps.map { -($0.0 * output.width + $0.1) }
  }

  /// Fills all slots from the places of a tile's pixels, where every tap of every pixel lies inside.
  @inline(__always)
  private func fillInner(
    _ count: Int, _ table: RowTable, _ places: UnsafePointer<UnsafePointer<Float>>, _ offsets: [Int],
    _ channels: Int
  ) -> Int {
    offsets.withUnsafeBufferPointer { offsets in
      for tap in 0..<offsets.count {
        let distance = offsets[tap] &* channels, slot = table.slot(tap)
        table.setTap(slot: tap, tap)
        for index in 0..<count { slot[index] = places[index] + distance }
      }
      return offsets.count
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
            range.count, table, UnsafePointer(places.baseAddress.unsafelyUnwrapped), forwardOffsets, channels)
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
  /// Input pixels are numbered phase by phase: those at equal remainders by the stride are reached by the same
  /// taps, so that a strided convolution's backward pass multiplies no zeros between the taps.
  @inline(__always)
  func fillBackward(
    _ range: Range<Int>, _ table: RowTable, g gradient: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    dx: UnsafeMutablePointer<Float>
  ) -> Int {
    let g = geometry, channels = output.channels
    let isDense = g.stride == Pair(1)
    return withUnsafeTemporaryAllocation(of: (Int, Int, Int).self, capacity: RowTable.capacity) { origins in
      var isInner = isDense
      let firstRow = g.dilation.height * (g.kernel.height - 1),
        firstColumn = g.dilation.width * (g.kernel.width - 1)
      for index in 0..<range.count {
        let (image, row, column) = inputPosition(range.lowerBound + index)
        table.outputRows[index] = dx + ((image * input.height + row) * input.width + column) * input.channels
        let y = row + g.padding.top, x = column + g.padding.left
        origins[index] = (image * output.height, y, x)
        isInner = isInner && y >= firstRow && y < output.height && x >= firstColumn && x < output.width
      }
      if isInner {
        return withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: RowTable.capacity) {
          places in
          for index in 0..<range.count {
            let (first, y, x) = origins[index]
            places[index] = gradient + ((first &+ y) &* output.width &+ x) &* channels
          }
          return fillInner(
            range.count, table, UnsafePointer(places.baseAddress.unsafelyUnwrapped), backwardOffsets, channels
          )
        }
      }
      var slots = 0
      for tapRow in 0..<g.kernel.height {
        for tapColumn in 0..<g.kernel.width {
          let pointers = table.slot(slots)
          var reads = false
          for index in 0..<range.count {
            let (first, top, left) = origins[index]
            let y = top - tapRow * g.dilation.height, x = left - tapColumn * g.dilation.width
            pointers[index] = zeros
            guard y >= 0, x >= 0 else { continue }
            var row = y, column = x
            if !isDense {
              row = y / g.stride.height
              column = x / g.stride.width
              guard row * g.stride.height == y, column * g.stride.width == x else { continue }
            }
            guard row < output.height, column < output.width else { continue }
            pointers[index] = gradient + ((first + row) * output.width + column) * channels
            reads = true
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

  /// The image, row and column of the input pixel with a number in the order of phases.
  private func inputPosition(_ number: Int) -> (Int, Int, Int) {
    if geometry.stride == Pair(1) { return position(number, input) }
    var rest = number
    for phaseRow in 0..<min(geometry.stride.height, input.height) {
      let rows = (input.height - phaseRow + geometry.stride.height - 1) / geometry.stride.height
      for phaseColumn in 0..<min(geometry.stride.width, input.width) {
        let columns = (input.width - phaseColumn + geometry.stride.width - 1) / geometry.stride.width
        let pixels = input.batch * rows * columns
        if rest < pixels {
          let shape = FeatureShape(batch: input.batch, height: rows, width: columns, channels: 1)
          let (image, row, column) = position(rest, shape)
          return (
            image, phaseRow + row * geometry.stride.height, phaseColumn + column * geometry.stride.width
          )
        }
        rest -= pixels
      }
    }
    preconditionFailure("pixel \(number) of \(input)")
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
