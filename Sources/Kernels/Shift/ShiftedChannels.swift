import Compute
import Layers
import Tensors

/// The sampling of the shift operator: each channel reads one pixel, in one of k² directions.
///
/// Channel c of C reads at an offset (dy, dx): dx = (c mod k) − k/2, dy = (⌊c/k⌋ mod k) − k/2, times the dilation.
/// The last channels, which do not fill a whole round of k², are not shifted.
final class ShiftedChannels: Sampling {
  /// The window that defines the directions; its padding is the reach of the shifts outside the image.
  let window: ConvolutionGeometry

  init(_ window: ConvolutionGeometry) { self.window = window }

  var printedPrefix: String { "Shift" }
  var holdsDecisions: Bool { true }

  func plan(for input: Tensor, _ context: Context) -> any SamplingPlan { rows(FeatureShape(input), context) }

  /// In training the channels keep their order, so that the sums' order does not depend on the shift.
  func rows(_ input: FeatureShape, _ context: Context) -> ShiftedRows {
    ShiftedRows(self, input: input, inRuns: !context.training && window.groups == 1)
  }

  /// The offset at which a channel reads, in pixels.
  func displacement(_ channel: Int) -> (dy: Int, dx: Int) {
    let k = window.kernel.height
    guard channel < window.inputChannels / (k * k) * (k * k) else { return (0, 0) }
    return ((channel / k % k - k / 2) * window.dilation.height, (channel % k - k / 2) * window.dilation.width)
  }

  func definition(_ input: Tensor64, _ parameters: [Tensor64]) -> Positions { positions(input.shape) }

  /// Each channel is its own offset group.
  func positions(_ input: [Int]) -> Positions {
    let output = window.definedOutput(input)
    let row = (0..<window.inputChannels).flatMap { channel in
      let move = displacement(channel)
      return [Double(move.dy), Double(move.dx)]
    }
    return Positions(offset: Tensor64(output.dropLast() + [row.count]) { row[$3] })
  }

  func definitionGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Positions
  ) -> (input: Tensor64?, parameters: [Tensor64]) { (nil, []) }
}

/// The row tables of shifted channels.
///
/// With runs there is a slot for each direction: its pointers are shifted, and its channels, every k²-th, are
/// adjacent in the weights. Without runs the channels of a pixel are gathered into one row of scratch memory.
struct ShiftedRows: SamplingPlan {
  let output: FeatureShape
  private let sampling: ShiftedChannels
  private let input: FeatureShape
  private let runs: [Run]
  /// For each channel, the offset in memory of the value that it reads.
  private let offsets: [Int]
  private let moves: [(dy: Int, dx: Int)]

  /// The channels of a slot: their places in the packed weights and in memory.
  private struct Run {
    let first: Int, count: Int, dy: Int, dx: Int, offset: Int
  }

  init(_ sampling: ShiftedChannels, input: FeatureShape, inRuns: Bool) {
    self.sampling = sampling
    self.input = input
    let window = sampling.window, channels = input.channels
    output = window.checkedOutput(input)
    moves = (0..<channels).map(sampling.displacement)
    offsets = moves.enumerated().map {
      ($0.element.dy * input.width + $0.element.dx) * channels + $0.offset
    }
    let directions = window.taps, each = channels / directions
    // A slot for each direction, and one for each channel that is not shifted.
    let moved = (0..<(each > 0 ? directions : 0)).map { direction in
      let (dy, dx) = sampling.displacement(direction)
      return Run(
        first: direction * each, count: each, dy: dy, dx: dx,
        offset: (dy * input.width + dx) * channels + direction)
    }
    let still = (each * directions..<channels).map { Run(first: $0, count: 1, dy: 0, dx: 0, offset: $0) }
    runs = inRuns ? moved + still : []
  }

  var slots: SlotLayout {
    guard !runs.isEmpty else { return SlotLayout(count: 1) }
    let directions = sampling.window.taps, channels = input.channels
    let rounds = channels / directions * directions
    return SlotLayout(
      count: runs.count, channelStep: directions,
      order: (0..<directions).flatMap { stride(from: $0, to: rounds, by: directions) }
        + Array(rounds..<channels))
  }

  var scratchPerPixel: Int { runs.isEmpty ? input.channels : 0 }
  var positions: Positions { sampling.positions(input.extents) }

  func fill(
    _ pixels: Range<Int>, _ table: RowTable, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, skipsPadding: Bool
  ) -> Int {
    let outputs = sampling.window.outputChannels
    for pixel in pixels { table.outputRows[pixel &- pixels.lowerBound] = y + pixel &* outputs }
    guard !runs.isEmpty else {
      table.setTap(slot: 0, 0)
      fillTap(0, pixels, x: x, zeros: zeros, scratch: table.scratch, into: table.slot(0))
      return 1
    }
    for (slot, run) in runs.enumerated() {
      table.setChannels(slot: slot, first: run.first, count: run.count)
    }
    for pixel in pixels {
      let index = pixel &- pixels.lowerBound, place = place(pixel)
      for slot in 0..<runs.count {
        let run = runs[slot]
        let isInside = place.isInner || place.reads(run.dy, run.dx, input)
        table.slot(slot)[index] = isInside ? x + (place.first &+ run.offset) : zeros
      }
    }
    return runs.count
  }

  func fillTap(
    _ tap: Int, _ pixels: Range<Int>, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, into pointers: UnsafeMutablePointer<UnsafePointer<Float>>
  ) {
    for pixel in pixels {
      let index = pixel &- pixels.lowerBound, row = scratch + index &* input.channels
      gather(pixel, x, into: row)
      pointers[index] = UnsafePointer(row)
    }
  }

  /// Writes what an output pixel reads.
  func gather(_ pixel: Int, _ x: UnsafePointer<Float>, into row: UnsafeMutablePointer<Float>) {
    let place = place(pixel), x = x + place.first
    if place.isInner {
      return offsets.withUnsafeBufferPointer {
        ChannelMoves.gather(x, $0.baseAddress.unsafelyUnwrapped, row, count: input.channels)
      }
    }
    for channel in 0..<input.channels {
      let move = moves[channel]
      row[channel] = place.reads(move.dy, move.dx, input) ? x[offsets[channel]] : 0
    }
  }

  /// No two outputs read the same value, so each thread owns the values that its pixels read.
  func scatter(
    _ columns: UnsafePointer<Float>, _ pixels: Range<Int>, x: UnsafePointer<Float>,
    zeros: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, threads: Int
  ) {
    parallel(pixels.count, threads: threads, grain: 16) { rows in
      for row in rows {
        let place = place(pixels.lowerBound + row), column = columns + row * input.channels
        let dx = dx + place.first
        if place.isInner {
          offsets.withUnsafeBufferPointer {
            ChannelMoves.scatter(column, $0.baseAddress.unsafelyUnwrapped, dx, count: input.channels)
          }
          continue
        }
        for channel in 0..<input.channels where place.reads(moves[channel].dy, moves[channel].dx, input) {
          dx[offsets[channel]] = column[channel]
        }
      }
    }
  }

  /// The pixel of the input from which an output pixel's channels are shifted.
  private struct Place {
    let row: Int, column: Int
    /// Its first value, counted over all images.
    let first: Int
    /// Whether every direction is inside the image.
    let isInner: Bool

    @inline(__always)
    func reads(_ dy: Int, _ dx: Int, _ input: FeatureShape) -> Bool {
      UInt(bitPattern: row &+ dy) < UInt(bitPattern: input.height)
        && UInt(bitPattern: column &+ dx) < UInt(bitPattern: input.width)
    }
  }

  @inline(__always)
  private func place(_ pixel: Int) -> Place {
    let window = sampling.window, reach = window.padding
    let (image, line, left) = output.position(pixel)
    let row = line &* window.stride.height, column = left &* window.stride.width
    return Place(
      row: row, column: column,
      first: ((image &* input.height &+ row) &* input.width &+ column) &* input.channels,
      isInner: row >= reach.top && row &+ reach.bottom < input.height && column >= reach.left
        && column &+ reach.right < input.width)
  }
}

extension ShiftedChannels: ONNXSampling {
  func onnxConvolution(
    _ x: ONNXGraph.Value, _ shape: FeatureShape, weight: ONNXGraph.Value, bias: ONNXGraph.Value?, groups: Int,
    _ graph: ONNXGraph
  ) throws -> ONNXGraph.Value {
    try graph.node(
      "Conv", [onnxShift(x, graph), weight, bias], ["kernel_shape": .ints([1, 1]), "group": .int(groups)])
  }

  /// The shift alone: a depthwise convolution whose window has one 1 for each channel.
  func onnxShift(_ x: ONNXGraph.Value, _ graph: ONNXGraph) throws -> ONNXGraph.Value {
    let channels = window.inputChannels, across = window.kernel.width
    var directions = Tensor(repeating: 0, [channels, 1, window.kernel.height, across])
    for channel in 0..<channels {
      let (dy, dx) = displacement(channel)
      let row = dy / window.dilation.height + window.kernel.height / 2
      directions[channel * window.taps + row * across + dx / window.dilation.width + across / 2] = 1
    }
    return window.onnxConvolution(
      "Conv", [x, graph.constant("shift", directions)], groups: channels, graph)
  }
}
