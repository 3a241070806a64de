import Compute
import Layers
import Tensors

/// Where an operator reads: the first of its four answers.
///
/// A sampling belongs to a layer: it has the layer's geometry, and perhaps parameters or a convolution that predicts
/// where to read. For each input it makes a ``SamplingPlan``, which the algorithms read.
public protocol Sampling: AnyObject {
  /// Whether it is the regular grid of the geometry, which Winograd, the FFT and their like rest on.
  var isRegularGrid: Bool { get }

  /// Its parameters, named as in files. In files they come after the layer's weight and bias.
  var ownParameters: [NamedParameter] { get }

  /// The layers that it consists of, such as the convolution that predicts offsets.
  var children: [NamedLayer] { get }

  /// Refuses an input that it cannot read, one sentence; the geometry has been checked.
  func check(_ input: FeatureShape, output: FeatureShape) throws

  /// Where an input is read. In training, it keeps what the plan's `backward` needs.
  func plan(for input: Tensor, _ context: Context) -> any SamplingPlan

  /// Whether its plans take their decisions, between which pixels a sample lies, from `Context.decisions`, or have none;
  /// false by default. Studies of second derivatives refuse others.
  var holdsDecisions: Bool { get }

  /// Where an input is read, by the definition.
  ///
  /// - Parameters:
  ///   - input: NHWC.
  ///   - parameters: the values of `ownParameters`, then those of the children's parameters.
  func definition(_ input: Tensor64, _ parameters: [Tensor64]) -> Positions

  /// From the gradients to the positions to those of the parameters (and, where positions are predicted, the input).
  ///
  /// - Parameters:
  ///   - input: NHWC.
  ///   - parameters: as in `definition`.
  ///   - gradient: has the arrays that `definition` gives.
  func definitionGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Positions
  ) -> (input: Tensor64?, parameters: [Tensor64])

  /// What it costs in addition to the terms, such as bilinear samples; its bytes are those of its
  /// positions, touched once.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost

  /// Whether it learns where to read.
  var hasLearnedPositions: Bool { get }

  /// Where it reads, if it learns to; for pictures.
  func learnedPositions(for input: Tensor, _ context: Context) -> SampledPositions?

  /// Takes positions from outside instead of its own, or refuses them.
  func bind(_ operands: Operands) throws
  /// The gradients to positions from outside after a backward pass.
  var operandGradients: Operands { get }

  /// What comes before `Conv2d` when a layer is printed.
  var printedPrefix: String { get }
}

/// Where the pixels of one input are read, tile by tile, and how the gradient goes back.
///
/// The indirect GEMM needs a table of row pointers: for each output pixel of a tile and each tap, where that pixel's
/// channels are. A sampling whose values exist nowhere in the image writes them into the table's scratch memory.
public protocol SamplingPlan {
  /// The output that it was made for.
  var output: FeatureShape { get }

  /// How the slots of its tables meet the weights.
  var slots: SlotLayout { get }

  /// Floats of scratch memory that a table needs for each output pixel.
  var scratchPerPixel: Int { get }

  /// Fills the table of a tile of output pixels; returns the number of slots.
  ///
  /// - Parameters:
  ///   - pixels: the tile's output pixels, at most `RowTable.capacity`.
  ///   - table: what is filled.
  ///   - x: the input, NHWC.
  ///   - zeros: as many zeros as the input has channels, for positions outside the image.
  ///   - y: the output; the table's `outputRows` point into it.
  ///   - skipsPadding: whether taps that read nothing but zeros may be left out.
  func fill(
    _ pixels: Range<Int>, _ table: RowTable, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, skipsPadding: Bool
  ) -> Int

  /// Writes where each of a range of output pixels reads a tap: what the weights' gradient sums over. `scratch` has room for
  /// the channels of each pixel of the range; `x` and `zeros` are as in `fill`.
  func fillTap(
    _ tap: Int, _ pixels: Range<Int>, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, into pointers: UnsafeMutablePointer<UnsafePointer<Float>>)

  /// The table that gives the gradient to the input without a scatter, where there is one.
  var transposed: (any TransposedRows)? { get }

  /// Adds the gradients to what was read to the pixels of `dx` that it was read from, and keeps those to the positions.
  ///
  /// Columns are `[pixel of the range][tap][channel]`. Ranges of output pixels come in ascending order and do not overlap.
  func scatter(
    _ columns: UnsafePointer<Float>, _ pixels: Range<Int>, x: UnsafePointer<Float>,
    zeros: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, threads: Int)

  /// What the definition needs: the same positions in double precision.
  var positions: Positions { get }

  /// Takes the gradients to the positions from the definition, instead of those that `scatter` found.
  func take(_ gradient: Positions)

  /// Sets the gradients of what the positions come from; returns dx with what reaches the input that way.
  func backward(_ dx: consuming Tensor, _ context: Context) -> Tensor
}

/// How the slots of a table meet the weights: by default a slot is a tap with all its channels.
public struct SlotLayout: Sendable {
  /// At most how many slots a tile has.
  public var count: Int
  /// How far a slot's channels lie apart in memory.
  public var channelStep = 1
  /// The weights' input channels in the order in which the slots have them; nil if that is their own.
  public var order: [Int]?

  /// A slot for each tap, or as many as are given.
  public init(count: Int, channelStep: Int = 1, order: [Int]? = nil) {
    self.count = count
    self.channelStep = channelStep
    self.order = order
  }
}

/// Which output gradients reach the input pixels: the transpose of a table.
public protocol TransposedRows {
  /// Fills the table of a tile of input pixels, in an order of its own; returns the number of slots.
  ///
  /// - Parameters:
  ///   - pixels: the tile's input pixels.
  ///   - table: what is filled.
  ///   - g: the gradient to the output.
  ///   - zeros: as many zeros as the output has channels.
  ///   - dx: the gradient to the input; the table's `outputRows` point into it.
  func fillTransposed(
    _ pixels: Range<Int>, _ table: RowTable, g: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    dx: UnsafeMutablePointer<Float>
  ) -> Int
}

extension Sampling {
  public var isRegularGrid: Bool { false }
  public var holdsDecisions: Bool { false }
  public var ownParameters: [NamedParameter] { [] }
  public var hasLearnedPositions: Bool { false }
  public func learnedPositions(for input: Tensor, _ context: Context) -> SampledPositions? { nil }
  public var children: [NamedLayer] { [] }
  public func check(_ input: FeatureShape, output: FeatureShape) throws {}
  public func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost { Cost() }
  public func bind(_ operands: Operands) throws { try operands.refusePositions() }
  public var operandGradients: Operands { Operands() }
}

extension SamplingPlan {
  /// What the pixels read, written out: `[pixel of the range][tap][channel]`.
  func withSamples(
    _ geometry: ConvolutionGeometry, _ pixels: Range<Int>, x: UnsafePointer<Float>,
    zeros: UnsafePointer<Float>, threads: Int, _ body: (UnsafePointer<Float>) -> Void
  ) {
    let taps = geometry.taps, channels = geometry.inputChannels
    withScratch(pixels.count * taps * channels) { samples in
      parallel(pixels.count, threads: threads) { rows in
        withScratch(channels) { scratch in
          var pointer = UnsafePointer(scratch)
          for row in rows {
            let pixel = pixels.lowerBound + row
            for tap in 0..<taps {
              fillTap(tap, pixel..<pixel + 1, x: x, zeros: zeros, scratch: scratch, into: &pointer)
              (samples + (row * taps + tap) * channels).update(from: pointer, count: channels)
            }
          }
        }
      }
      body(samples)
    }
  }

  /// What all pixels read: `[pixels, taps · channels]`.
  func columns(_ geometry: ConvolutionGeometry, _ x: Tensor, threads: Int) -> Tensor {
    var columns = Tensor(uninitialized: [output.pixels, geometry.taps * geometry.inputChannels])
    withPointers(x, Tensor(repeating: 0, [geometry.inputChannels])) { x, zeros in
      withSamples(geometry, 0..<output.pixels, x: x, zeros: zeros, threads: threads) { samples in
        let count = columns.count
        columns.withMutablePointer { $0.update(from: samples, count: count) }
      }
    }
    return columns
  }

  /// The gradient to the input from that to all its columns; the plan keeps those to its positions.
  func inputGradient(_ columns: Tensor, _ geometry: ConvolutionGeometry, _ x: Tensor, threads: Int) -> Tensor
  {
    var dx = Tensor(repeating: 0, x.shape)
    withPointers(columns, x, Tensor(repeating: 0, [geometry.inputChannels])) { columns, x, zeros in
      dx.withMutablePointer {
        scatter(columns, 0..<output.pixels, x: x, zeros: zeros, into: $0, threads: threads)
      }
    }
    return dx
  }

  public var scratchPerPixel: Int { 0 }
  public var transposed: (any TransposedRows)? { nil }
  public func take(_ gradient: Positions) {}
  public func backward(_ dx: consuming Tensor, _ context: Context) -> Tensor { dx }
}
