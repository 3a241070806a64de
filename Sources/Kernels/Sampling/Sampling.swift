import Compute
import Layers
import Tensors

/// Where an operator reads: the first of its four answers.
///
/// A sampling belongs to a layer. It has the layer's geometry, and may have parameters or a convolution that predicts
/// positions. For each input it makes a ``SamplingPlan``, which the algorithms use.
public protocol Sampling: AnyObject {
  /// Whether it is the geometry's regular grid, which algorithms such as Winograd and the FFT need.
  var isRegularGrid: Bool { get }

  /// Its parameters, named as in files. In files they come after the layer's weight and bias.
  var ownParameters: [NamedParameter] { get }

  /// The layers that it consists of, such as the convolution that predicts offsets.
  var children: [NamedLayer] { get }

  /// Throws one sentence if it cannot read an input; the geometry has been checked.
  func check(_ input: FeatureShape, output: FeatureShape) throws

  /// Where an input is read. In training, it keeps what the plan's `backward` needs.
  func plan(for input: Tensor, _ context: Context) -> any SamplingPlan

  /// Whether its plans take the decision between which pixels a sample lies from `Context.decisions`, or need no
  /// decisions; false by default. Studies of second derivatives refuse other samplings.
  var holdsDecisions: Bool { get }

  /// Where an input is read, by the definition.
  ///
  /// - Parameters:
  ///   - input: NHWC.
  ///   - parameters: the values of `ownParameters`, then those of the children's parameters.
  func definition(_ input: Tensor64, _ parameters: [Tensor64]) -> Positions

  /// Turns the gradients to the positions into those to the parameters (and to the input, if positions are
  /// predicted).
  ///
  /// - Parameters:
  ///   - input: NHWC.
  ///   - parameters: as in `definition`.
  ///   - gradient: has the same arrays as the result of `definition`.
  func definitionGradients(
    _ input: Tensor64, _ parameters: [Tensor64], _ gradient: Positions
  ) -> (input: Tensor64?, parameters: [Tensor64])

  /// Its cost in addition to the terms, such as bilinear samples; its bytes are those of its positions, counted once.
  func cost(for input: FeatureShape, pass: Cost.Pass) throws -> Cost

  /// Whether it learns where to read.
  var hasLearnedPositions: Bool { get }

  /// Its learned positions, if it has any; for pictures.
  func learnedPositions(for input: Tensor, _ context: Context) -> SampledPositions?

  /// Uses given positions instead of its own, or refuses them.
  func bind(_ operands: Operands) throws
  /// The gradients to given positions after a backward pass.
  var operandGradients: Operands { get }

  /// What comes before `Conv2d` when a layer is printed.
  var printedPrefix: String { get }
}

/// Where the pixels of one input are read, tile by tile, and how the gradient goes back.
///
/// The indirect GEMM needs a table of row pointers: for each output pixel of a tile and each tap, a pointer to the
/// channels that are read. A sampling that interpolates writes its values into the table's scratch memory.
public protocol SamplingPlan {
  /// The output that it was made for.
  var output: FeatureShape { get }

  /// How the slots of its tables correspond to the weights.
  var slots: SlotLayout { get }

  /// Floats of scratch memory that a table needs for each output pixel.
  var scratchPerPixel: Int { get }

  /// Fills the table of a tile of output pixels; returns the number of slots.
  ///
  /// - Parameters:
  ///   - pixels: the tile's output pixels, at most `RowTable.capacity`.
  ///   - table: what is filled.
  ///   - x: the input, NHWC.
  ///   - zeros: a zero for each channel of the input, for positions outside the image.
  ///   - y: the output; the table's `outputRows` point into it.
  ///   - skipsPadding: whether taps that read only zeros may be left out.
  func fill(
    _ pixels: Range<Int>, _ table: RowTable, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    y: UnsafeMutablePointer<Float>, skipsPadding: Bool
  ) -> Int

  /// Writes pointers to what a range of output pixels reads at one tap, which the weight gradient sums over.
  /// `scratch` has room for the channels of each pixel of the range; `x` and `zeros` are as in `fill`.
  func fillTap(
    _ tap: Int, _ pixels: Range<Int>, x: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, into pointers: UnsafeMutablePointer<UnsafePointer<Float>>)

  /// The table that gives the gradient to the input without a scatter, if there is one.
  var transposed: (any TransposedRows)? { get }

  /// Adds the gradients of the columns to the pixels of `dx` that they were read from, and keeps those to the
  /// positions.
  ///
  /// Columns are `[pixel of the range][tap][channel]`. Ranges of output pixels come in ascending order and do not
  /// overlap.
  func scatter(
    _ columns: UnsafePointer<Float>, _ pixels: Range<Int>, x: UnsafePointer<Float>,
    zeros: UnsafePointer<Float>, into dx: UnsafeMutablePointer<Float>, threads: Int)

  /// What the definition needs: the same positions in double precision.
  var positions: Positions { get }

  /// Takes the gradients to the positions from the definition, instead of those computed by `scatter`.
  func take(_ gradient: Positions)

  /// Sets the gradients of the parameters that determine the positions; returns dx plus what reaches the input
  /// through the positions.
  func backward(_ dx: consuming Tensor, _ context: Context) -> Tensor
}

/// How the slots of a table correspond to the weights: by default a slot is a tap with all its channels.
public struct SlotLayout: Sendable {
  /// The largest number of slots of a tile.
  public var count: Int
  /// The distance between a slot's channels in memory.
  public var channelStep = 1
  /// The weights' input channels in the order of the slots; nil if the order is the same.
  public var order: [Int]?

  /// A layout of `count` slots.
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
  ///   - zeros: a zero for each channel of the output.
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
