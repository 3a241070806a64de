import Layers
import Tensors

/// Where a layer with learned positions reads.
public struct SampledPositions: Sendable {
  /// The layer's geometry: without offsets, taps lie on its grid.
  public let geometry: ConvolutionGeometry
  /// The offsets, in pixels of the layer's input, NHWC: (vertical, horizontal) for each offset group and tap.
  public let offset: Tensor
  /// What samples are multiplied by, NHWC, one for each offset group and tap; nil if nothing.
  public let mask: Tensor?

  /// Positions of all output pixels of a batch.
  public init(geometry: ConvolutionGeometry, offset: Tensor, mask: Tensor? = nil) {
    self.geometry = geometry
    self.offset = offset
    self.mask = mask
  }

  /// A tap of an output pixel.
  public struct Sample: Sendable {
    /// Its place on the regular grid, in pixels of the layer's input; 0 is the centre of the first pixel.
    public let gridY, gridX: Float
    /// Where it reads.
    public let y, x: Float
    /// What it is multiplied by; nil if nothing.
    public let mask: Float?
  }

  /// Channels that read at the same positions are an offset group.
  public var offsetGroups: Int { offset.shape[3] / (2 * geometry.taps) }

  /// A tap of a pixel of the first image; all must be of the layer's output.
  public func sample(row: Int, column: Int, group: Int, tap: Int) -> Sample {
    let pixel = row * offset.shape[2] + column, slot = group * geometry.taps + tap
    let index = pixel * offsetGroups * geometry.taps + slot
    let (tapRow, tapColumn) = tap.quotientAndRemainder(dividingBy: geometry.kernel.width)
    let y = Float(row * geometry.stride.height + tapRow * geometry.dilation.height - geometry.padding.top)
    let x = Float(
      column * geometry.stride.width + tapColumn * geometry.dilation.width - geometry.padding.left)
    let (dy, dx) = offset.withPointer { ($0[2 * index], $0[2 * index + 1]) }
    return Sample(
      gridY: y, gridX: x, y: y + dy, x: x + dx, mask: mask.map { $0.withPointer { $0[index] } })
  }
}

/// A layer that may read at learned positions.
package protocol SamplingLayer: KernelLayer {
  /// Whether it learns its positions.
  var hasLearnedPositions: Bool { get }

  /// Where it reads, for an input that has passed `outputShape`; nil where it learns no positions.
  func learnedPositions(for input: Tensor, _ context: Context) -> SampledPositions?
}
