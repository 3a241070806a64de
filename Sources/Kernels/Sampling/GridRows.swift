import Compute
import Layers
import Tensors

/// The regular grid of a geometry.
public final class RegularGrid: Sampling {
  private let geometry: ConvolutionGeometry

  /// The grid of a geometry.
  public init(_ geometry: ConvolutionGeometry) { self.geometry = geometry }

  public var isRegularGrid: Bool { true }
  public var holdsDecisions: Bool { true }
  public var printedPrefix: String { "" }

  public func plan(for input: Tensor, _ context: Context) -> any SamplingPlan {
    GridRows(geometry, input: FeatureShape(input))
  }
  public func definition(_ input: Tensor64, _ parameters: [Tensor64]) -> Positions { .grid }
  public func definitionGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Positions
  ) -> (input: Tensor64?, parameters: [Tensor64]) { (nil, []) }
}

/// The row tables of a regular grid: where the windows of a convolution read.
struct GridRows: SamplingPlan {
  let geometry: ConvolutionGeometry
  let input: FeatureShape
  let output: FeatureShape

  /// How far each tap reads from a window's corner, in pixels of the input.
  private let forwardOffsets: [Int]
  private let allTaps: [Int]

  init(_ geometry: ConvolutionGeometry, input: FeatureShape) {
    self.geometry = geometry
    self.input = input
    output = geometry.checkedOutput(input)
    let taps = (0..<geometry.taps).map(geometry.reach)
    allTaps = Array(taps.indices)
    forwardOffsets = taps.map { $0.y * input.width + $0.x }
  }

  var slots: SlotLayout { SlotLayout(count: geometry.taps) }
  var positions: Positions { .grid }
  var transposed: (any TransposedRows)? { TransposedGrid(geometry, input: input, output: output) }

  func fill(
    _ range: Range<Int>, _ table: RowTable, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, skipsPadding: Bool
  ) -> Int {
    let g = geometry, channels = input.channels
    if g.readsPixelsInOrder {
      let pixels = x + range.lowerBound &* channels
      for index in 0..<range.count {
        table.outputRows[index] = y + (range.lowerBound &+ index) &* output.channels
        table.slot(0)[index] = pixels + index &* channels
      }
      table.setTap(slot: 0, 0)
      return 1
    }
    return withUnsafeTemporaryAllocation(of: (Int, Int, Int).self, capacity: RowTable.capacity) { origins in
      var (image, row, column) = output.position(range.lowerBound)
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
        output.advance(&image, &row, &column)
      }
      if isInner {
        return withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: RowTable.capacity) {
          places in
          for index in 0..<range.count {
            let (first, top, left) = origins[index]
            places[index] = x + ((first &+ top) &* input.width &+ left) &* channels
          }
          return table.fillInner(
            range.count, UnsafePointer(places.baseAddress.unsafelyUnwrapped), forwardOffsets,
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

  func fillTap(
    _ tap: Int, _ range: Range<Int>, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, into pointers: UnsafeMutablePointer<UnsafePointer<Float>>
  ) {
    let g = geometry, channels = input.channels
    if g.readsPixelsInOrder {
      for index in 0..<range.count { pointers[index] = x + (range.lowerBound &+ index) &* channels }
      return
    }
    let reach = g.reach(ofTap: tap), dy = reach.y - g.padding.top, dx = reach.x - g.padding.left
    var (image, row, column) = output.position(range.lowerBound)
    for index in 0..<range.count {
      let y = row &* g.stride.height &+ dy, x0 = column &* g.stride.width &+ dx
      if UInt(bitPattern: y) < UInt(bitPattern: input.height),
        UInt(bitPattern: x0) < UInt(bitPattern: input.width)
      {
        pointers[index] = x + ((image &* input.height &+ y) &* input.width &+ x0) &* channels
      } else {
        pointers[index] = zeros
      }
      output.advance(&image, &row, &column)
    }
  }

  /// Each thread owns a range of channels.
  func scatter(
    _ columns: UnsafePointer<Float>, _ pixels: Range<Int>, x: UnsafePointer<Float>,
    zeros: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, threads: Int
  ) {
    let g = geometry, channels = input.channels
    parallel(channels, threads: threads, grain: 16) { own in
      var (image, row, column) = output.position(pixels.lowerBound)
      for pixel in pixels {
        for tap in 0..<g.taps {
          let reach = g.reach(ofTap: tap)
          let y = row * g.stride.height - g.padding.top + reach.y
          let left = column * g.stride.width - g.padding.left + reach.x
          guard (0..<input.height).contains(y), (0..<input.width).contains(left) else { continue }
          let target = dx + ((image * input.height + y) * input.width + left) * channels
          let source = columns + ((pixel - pixels.lowerBound) * g.taps + tap) * channels
          for channel in own { target[channel] += source[channel] }
        }
        output.advance(&image, &row, &column)
      }
    }
  }
}

extension ConvolutionGeometry {
  /// Whether each output pixel reads the input pixel of the same index: 1×1, stride 1, no padding.
  @inline(__always) var readsPixelsInOrder: Bool {
    taps == 1 && stride == Pair(1) && padding == Padding(Pair(0))
  }
}

extension RegularGrid: ONNXSampling {
  public func onnxConvolution(
    _ x: ONNXGraph.Value, _ shape: FeatureShape, weight: ONNXGraph.Value, bias: ONNXGraph.Value?, groups: Int,
    _ graph: ONNXGraph
  ) throws -> ONNXGraph.Value {
    geometry.onnxConvolution("Conv", [x, weight, bias], groups: groups, graph)
  }
}
