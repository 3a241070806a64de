import Compute
import Layers
import Tensors

/// Windows as rows: in a padded copy of the image each row of a window is one contiguous run of kernel width ·
/// channels floats. HWIO weights have this order already.
///
/// For images with few channels: a 7×7 window over 3 channels is 7 runs of 21 floats, not 49 of 3.
struct WindowRows: Algorithm {
  let name = "window-rows"
  let isExactOnIntegers = true

  func refusal(_ operation: Operation, _ pass: Pass, _ input: FeatureShape?) -> String? {
    let g = operation.geometry
    guard let engine = operation.combination.engine, operation.readsRegularGrid else {
      return "The algorithm window-rows needs a regular grid and a step of the engine; use reference."
    }
    guard pass != .inputGradient, pass == .forward || engine.gradients != .largestTerm else {
      return "The algorithm window-rows does not compute this gradient; use direct."
    }
    guard g.groups == 1, g.inputChannels < 16, g.kernel.width > 1, g.dilation.width == 1,
      g.padding.top + g.padding.bottom < 64, g.padding.left + g.padding.right < 64
    else {
      return
        "The algorithm window-rows needs fewer than 16 channels in one group, and windows of neighbouring columns; use direct."
    }
    return nil
  }

  func nanoseconds(_ operation: Operation, _ pass: Pass, _ input: FeatureShape) -> Double {
    Estimates.products(operation.geometry, pass, input, sharing: true)
  }

  func make(_ operation: Operation) -> any ConvolutionPasses { WindowRowsPasses(operation) }
}

/// The passes of `window-rows`.
final class WindowRowsPasses: ConvolutionPasses {
  private let geometry: ConvolutionGeometry
  private let engine: CombinationEngine
  private let pack = FilterCache<PackedWeights>()

  init(_ operation: Operation) {
    guard let engine = operation.combination.engine else { preconditionFailure("refused by WindowRows") }
    self.engine = engine
    geometry = operation.geometry
  }

  func forward(
    _ x: Tensor, _ plan: any SamplingPlan, _ filter: Filter, _ epilogue: Epilogue, _ context: Context
  ) -> Tensor {
    let rows = PaddedRows(geometry, x, output: plan.output, threads: context.threads)
    let packed = pack.value(filter, context) {
      PackedWeights(
        forward: $0.reshaped([geometry.kernel.height, 1, rows.run, geometry.outputChannels]), groups: 1,
        threads: context.threads)
    }
    var y = Tensor(uninitialized: plan.output.extents)
    rows.withPointer { copy in
      y.withMutablePointer { y in
        epilogue.withPointers(output: y) { epilogue in
          indirectGEMM(
            rows: plan.output.pixels, weights: packed, epilogue: epilogue, step: engine.step,
            threads: context.threads
          ) { rows.fill($0, $1, copy: copy, y: y) }
        }
      }
    }
    return y
  }

  func weightGradient(
    _ g: Tensor, _ x: Tensor, _ plan: any SamplingPlan, _ weight: Parameter, _ context: Context
  ) -> Tensor {
    let rows = PaddedRows(geometry, x, output: plan.output, threads: context.threads)
    var dw = Tensor(uninitialized: weight.value.shape)
    g.withPointer { g in
      rows.withPointer { copy in
        dw.withMutablePointer { dw in
          indirectWeightGradient(
            rows: plan.output.pixels, groups: 1, taps: geometry.kernel.height, channels: rows.run,
            outputs: geometry.outputChannels, gradient: g, result: dw, threads: context.threads
          ) { row, range, pointers, _ in rows.fillRow(row, range, copy: copy, into: pointers) }
        }
      }
    }
    if let (_, factor) = engine.gradients.ofDifferences {
      subtractWeightedSums(&dw, weight.value, g, factor: factor, threads: context.threads)
    }
    return dw
  }
}

/// The padded copy of an image, and its row tables.
private struct PaddedRows {
  private let geometry: ConvolutionGeometry
  private let output: FeatureShape
  private let copy: Tensor
  private let height: Int, width: Int

  /// The floats of a run.
  let run: Int

  init(_ geometry: ConvolutionGeometry, _ x: Tensor, output: FeatureShape, threads: Int) {
    self.geometry = geometry
    self.output = output
    let input = FeatureShape(x), channels = input.channels, padding = geometry.padding
    height = input.height + padding.top + padding.bottom
    width = input.width + padding.left + padding.right
    run = geometry.kernel.width * channels
    var copy = Tensor(uninitialized: [input.batch, height, width, channels])
    let (height, width) = (height, width)
    x.withPointer { x in
      copy.withMutablePointer { copy in
        parallel(input.batch * height, threads: threads, grain: 32) { lines in
          for line in lines {
            let (image, row) = line.quotientAndRemainder(dividingBy: height)
            let target = copy + line * width * channels, source = row - padding.top
            guard source >= 0, source < input.height else {
              target.update(repeating: 0, count: width * channels)
              continue
            }
            target.update(repeating: 0, count: padding.left * channels)
            (target + padding.left * channels).update(
              from: x + (image * input.height + source) * input.width * channels,
              count: input.width * channels)
            (target + (padding.left + input.width) * channels).update(
              repeating: 0, count: padding.right * channels)
          }
        }
      }
    }
    self.copy = copy
  }

  /// Calls `body` with the copy.
  func withPointer(_ body: (UnsafePointer<Float>) -> Void) { copy.withPointer(body) }

  /// Fills the table of a tile of output pixels: a slot for each row of the window.
  @inline(__always)
  func fill(
    _ range: Range<Int>, _ table: RowTable, copy: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
  ) -> Int {
    for pixel in range { table.outputRows[pixel - range.lowerBound] = y + pixel * output.channels }
    let first = table.slot(0), down = geometry.dilation.height * width * geometry.inputChannels
    fillRow(0, range, copy: copy, into: first)
    table.setTap(slot: 0, 0)
    for row in 1..<max(geometry.kernel.height, 1) {
      table.setTap(slot: row, row)
      let slot = table.slot(row), distance = row &* down
      for index in 0..<range.count { slot[index] = first[index] + distance }
    }
    return geometry.kernel.height
  }

  /// Writes where each of a range of output pixels reads a row of the window.
  @inline(__always)
  func fillRow(
    _ row: Int, _ range: Range<Int>, copy: UnsafePointer<Float>,
    into pointers: UnsafeMutablePointer<UnsafePointer<Float>>
  ) {
    var pixel = range.lowerBound
    var (lines, column) = pixel.quotientAndRemainder(dividingBy: output.width)
    while pixel < range.upperBound {
      let (image, line) = lines.quotientAndRemainder(dividingBy: output.height)
      let source = image &* height &+ line &* geometry.stride.height &+ row &* geometry.dilation.height
      let first = copy + source &* width &* geometry.inputChannels
      while column < output.width && pixel < range.upperBound {
        pointers[pixel &- range.lowerBound] =
          first + column &* geometry.stride.width &* geometry.inputChannels
        pixel &+= 1
        column &+= 1
      }
      column = 0
      lines &+= 1
    }
  }
}
