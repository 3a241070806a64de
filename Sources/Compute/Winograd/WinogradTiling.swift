import Tensors

/// The images and tiles of a 3×3 convolution of stride 1.
///
/// With taps `dilation` apart it is `dilation`² convolutions of every dilation-th row and column, each cut into
/// its own tiles.
package struct WinogradTiling {
  let input: FeatureShape, output: FeatureShape
  let top: Int, left: Int
  let dilation: (height: Int, width: Int)
  private let rows: Int, columns: Int
  private let size: Int

  /// A tiling.
  ///
  /// - Parameters:
  ///   - top: rows of padding above; may be negative.
  ///   - left: columns of padding on the left; may be negative.
  package init(
    _ size: WinogradSize, input: FeatureShape, output: FeatureShape, top: Int, left: Int,
    dilation: (height: Int, width: Int)
  ) {
    self.size = size.rawValue
    self.input = input
    self.output = output
    self.top = top
    self.left = left
    self.dilation = (min(dilation.height, output.height), min(dilation.width, output.width))
    reach = dilation
    let step = size.rawValue
    rows = ((output.height + self.dilation.height - 1) / self.dilation.height + step - 1) / step
    columns = ((output.width + self.dilation.width - 1) / self.dilation.width + step - 1) / step
  }

  /// The step between taps; `dilation` is the number of phases, fewer on images smaller than it.
  let reach: (height: Int, width: Int)

  /// All tiles of all images.
  package var count: Int { input.batch * dilation.height * dilation.width * rows * columns }

  /// The image, and the output pixel in the corner, of a tile.
  @inline(__always)
  func position(_ tile: Int) -> (image: Int, row: Int, column: Int) {
    let (line, x) = tile.quotientAndRemainder(dividingBy: columns)
    let (phases, y) = line.quotientAndRemainder(dividingBy: rows)
    let (down, right) = phases.quotientAndRemainder(dividingBy: dilation.width)
    let (image, phase) = down.quotientAndRemainder(dividingBy: dilation.height)
    return (image, phase &+ y &* size &* reach.height, right &+ x &* size &* reach.width)
  }
}
