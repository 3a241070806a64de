import Compute
import Tensors

/// A layer that inference can compute by bands: some rows of its output, from the rows that they read.
package protocol ComputesBands: Layer {
  /// Whether it can for some inputs and contexts.
  var mayComputeBands: Bool { get }

  /// What computes bands, layer by layer, for an input and what follows; nil if it cannot. The values have the same bits
  /// as those of `infer`.
  func bandPasses(for input: FeatureShape, _ epilogue: Epilogue, _ context: Context) -> [any BandPass]?
}

/// The inference of one layer by bands. Lines are the rows of all images, counted through the batch.
package protocol BandPass {
  /// The shape of the layer's output.
  var output: FeatureShape { get }
  /// The floats of its weights, which each band reads.
  var weights: Int { get }

  /// The input lines that some output lines of one image read.
  func inputLines(for lines: Range<Int>) -> Range<Int>
  /// The most input lines that `count` output lines read.
  func inputLines(count: Int) -> Int
  /// What computes them, on one thread; threads may share it.
  func computation() -> BandComputation
}

/// Computes some output lines of one image. The pointers are to where line 0 of the input and of the output would be; only
/// the lines that are read and written have to be there.
package typealias BandComputation = (
  _ lines: Range<Int>, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>
) -> Void

/// Inference of several layers by bands: each thread computes some rows of the last layer's output and what they need of
/// the layers before, then the next rows. What the layers pass to each other stays in the core's own cache. Rows that the
/// next band needs too are kept, not computed again.
struct Bands {
  private let passes: [any BandPass]
  /// The floats of a line between each layer and the next.
  private let widths: [Int]

  init(_ passes: [any BandPass]) {
    self.passes = passes
    widths = passes.dropLast().map { $0.output.width * $0.output.channels }
  }

  /// Whether the arrays between the layers are too large for a core's own cache, and the weights small beside it.
  var areWorthwhile: Bool {
    let between = zip(passes, widths).reduce(0) { $0 + $1.0.output.height * $1.1 }
    return passes.count > 1 && between > Self.cache && passes.reduce(0) { $0 + $1.weights } <= Self.cache
  }

  /// The floats of a band's arrays: half of a second-level cache of 512 KiB.
  private static let cache = 1 << 16

  func run(_ input: Tensor, threads: Int) -> Tensor {
    guard let output = passes.last?.output else { return input }
    let computations = passes.map { $0.computation() }
    let step = step, rooms = rooms(step)
    var y = Tensor(uninitialized: output.extents)
    input.withPointer { x in
      y.withMutablePointer { y in
        // Each range computes some lines of the layers before again.
        parallel(output.batch * output.height, threads: threads, least: 8) { lines in
          withScratch(size(rooms)) {
            var share = BandShare(passes, computations, widths, rooms: rooms, x: x, y: y, scratch: $0)
            share.run(lines, step: step)
          }
        }
      }
    }
    return y
  }

  /// The lines of each array between layers for `count` lines of output.
  private func rooms(_ count: Int) -> [Int] {
    passes.dropFirst().reversed().reduce(into: [count]) { $0.append($1.inputLines(count: $0[$0.count - 1])) }
      .dropFirst().reversed()
  }

  /// The floats of so many lines.
  private func size(_ rooms: [Int]) -> Int { zip(rooms, widths).reduce(0) { $0 + $1.0 * $1.1 } }

  /// The lines of a band: as many as fit. Each line more takes the same room more.
  private var step: Int {
    let first = size(rooms(1)), more = size(rooms(2)) - first
    return max(1, min(1 + (Self.cache - first) / max(more, 1), passes.last?.output.height ?? 1))
  }
}

/// One thread's lines.
private struct BandShare {
  let passes: [any BandPass]
  let computations: [BandComputation]
  let widths: [Int]
  let x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>
  /// Where the lines between layers are kept, and which lines they are.
  private var places: [UnsafeMutablePointer<Float>]
  private var kept: [Range<Int>]

  init(
    _ passes: [any BandPass], _ computations: [BandComputation], _ widths: [Int], rooms: [Int],
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    self.passes = passes
    self.computations = computations
    self.widths = widths
    self.x = x
    self.y = y
    var next = scratch
    places = zip(rooms, widths).map { room, width in
      defer { next += room * width }
      return next
    }
    kept = Array(repeating: 0..<0, count: widths.count)
  }

  /// Computes lines, a band of at most `step` lines of one image after the other.
  mutating func run(_ lines: Range<Int>, step: Int) {
    let height = passes[passes.count - 1].output.height
    var first = lines.lowerBound
    while first < lines.upperBound {
      let end = min(first + step, (first / height + 1) * height, lines.upperBound)
      compute(passes.count - 1, first..<end)
      first = end
    }
  }

  /// Computes lines of a layer's output, after those that they read of the layer before.
  private mutating func compute(_ layer: Int, _ lines: Range<Int>) {
    let read = passes[layer].inputLines(for: lines)
    if layer > 0 { provide(layer - 1, read) }
    computations[layer](
      lines, layer > 0 ? UnsafePointer(origin(layer - 1)) : x, layer < widths.count ? origin(layer) : y)
  }

  /// Sees that lines of a layer's output are kept. Ranges come in ascending order.
  private mutating func provide(_ layer: Int, _ lines: Range<Int>) {
    let old = kept[layer], width = widths[layer], place = places[layer]
    let left = max(lines.lowerBound, old.lowerBound)..<max(lines.lowerBound, old.upperBound)
    place.update(from: place + (left.lowerBound - old.lowerBound) * width, count: left.count * width)
    kept[layer] = lines
    if left.upperBound < lines.upperBound { compute(layer, left.upperBound..<lines.upperBound) }
  }

  /// Where line 0 of a layer's output would be.
  private func origin(_ layer: Int) -> UnsafeMutablePointer<Float> {
    places[layer] - kept[layer].lowerBound * widths[layer]
  }
}
