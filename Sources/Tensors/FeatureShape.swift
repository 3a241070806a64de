/// The shape of a batch of feature maps, stored as `[batch, height, width, channels]`.
public struct FeatureShape: Hashable, Sendable, CustomStringConvertible {
  /// The number of images.
  public var batch: Int
  /// The number of rows.
  public var height: Int
  /// The number of columns.
  public var width: Int
  /// The number of channels, contiguous in memory.
  public var channels: Int

  /// A shape from its four extents.
  public init(batch: Int, height: Int, width: Int, channels: Int) {
    self.batch = batch
    self.height = height
    self.width = width
    self.channels = channels
  }

  /// The shape of an NHWC tensor of four axes.
  public init(_ tensor: Tensor) {
    precondition(tensor.shape.count == 4, "expected four axes, found \(tensor.shape)")
    self.init(
      batch: tensor.shape[0], height: tensor.shape[1], width: tensor.shape[2], channels: tensor.shape[3])
  }

  /// The extents in memory order.
  public var extents: [Int] { [batch, height, width, channels] }
  /// Pixels of all images.
  public var pixels: Int { batch * height * width }
  /// Elements of all images.
  public var count: Int { pixels * channels }
  /// For example `2×64×56×56` (images, channels, height, width).
  public var description: String { "\(batch)×\(channels)×\(height)×\(width)" }
}

/// As a list of its extents in memory order.
extension FeatureShape: Codable {
  public init(from decoder: any Decoder) throws {
    let extents = try decoder.integers(4)
    self.init(batch: extents[0], height: extents[1], width: extents[2], channels: extents[3])
  }

  public func encode(to encoder: any Encoder) throws { try extents.encode(to: encoder) }
}
