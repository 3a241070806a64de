import Tensors

/// Where each tap of each output pixel reads, in double precision: its grid position plus an offset. What it reads is
/// multiplied by a factor.
///
/// Every sampling can be described so, and one loop is the definition of them all. The same type holds the gradients
/// to the offsets and factors.
public struct Positions: Sendable {
  /// NHWC: (vertical, horizontal) in pixels for each offset group and tap; nil for the grid itself.
  public var offset: Tensor64?
  /// NHWC: what a sample is multiplied by, one for each offset group and tap; nil for 1.
  public var mask: Tensor64?

  /// The grid itself.
  public static let grid = Positions()

  /// The grid with offsets and factors.
  public init(offset: Tensor64? = nil, mask: Tensor64? = nil) {
    self.offset = offset
    self.mask = mask
  }

  /// The number of offset groups: groups of channels with their own positions.
  func groups(taps: Int) -> Int {
    offset.map { $0.shape[3] / (2 * taps) } ?? mask.map { $0.shape[3] / taps } ?? 1
  }
}

/// A bilinear sample in double precision; it exists while −1 < y < height and −1 < x < width, and neighbours outside the
/// image are 0.
struct BilinearSample64 {
  /// The neighbours that exist: their pixels, counted in the image's memory order, with their weights and the derivatives
  /// of these by y and x.
  private(set) var neighbours: [(pixel: Int, weight: Double, byY: Double, byX: Double)] = []

  init(y: Double, x: Double, height: Int, width: Int) {
    guard y > -1, y < Double(height), x > -1, x < Double(width) else { return }
    let top = Int(y.rounded(.down)), left = Int(x.rounded(.down))
    let fy = y - Double(top), fx = x - Double(left)
    for (row, wy, dy) in [(top, 1 - fy, -1.0), (top + 1, fy, 1.0)] where (0..<height).contains(row) {
      for (column, wx, dx) in [(left, 1 - fx, -1.0), (left + 1, fx, 1.0)] where (0..<width).contains(column) {
        neighbours.append((row * width + column, wy * wx, dy * wx, wy * dx))
      }
    }
  }
}
