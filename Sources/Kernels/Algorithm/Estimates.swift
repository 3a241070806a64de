import Layers
import Tensors

/// Estimates that several algorithms share, in nanoseconds.
///
/// Their constants fit a core with 512-bit vectors (about 230 GFLOP/s). On other cores the ratios, which decide, are
/// similar.
enum Estimates {
  /// The margin by which an algorithm must be estimated to be faster than the direct products, since estimates are
  /// rough.
  static let margin = 0.8

  /// The products of a dense convolution by microkernels over rows of pixels.
  static func products(_ geometry: ConvolutionGeometry, _ pass: Pass, _ input: FeatureShape) -> Double {
    let output = geometry.checkedOutput(input)
    switch pass {
    case .forward:
      return products(
        rows: output.pixels, geometry.channelsPerGroup * geometry.taps, geometry.outputsPerGroup,
        single: geometry.slides ? 200 : 130) * Double(geometry.groups)
    case .inputGradient:
      return products(
        rows: output.pixels, geometry.outputsPerGroup * geometry.taps, geometry.channelsPerGroup,
        single: geometry.slides ? 200 : 130) * Double(geometry.groups)
    case .weightGradient:
      return products(
        rows: output.pixels, input.channels * geometry.taps, output.channels, single: 200)
    }
  }

  /// A matrix product: outputs in pairs of vectors of 16, rows in sixes.
  ///
  /// - Parameter rate: the GFLOP/s of tiles that are one vector wide.
  static func products(rows: Int, _ inputs: Int, _ outputs: Int, single rate: Double = 130) -> Double {
    let vectors = (outputs + 15) / 16
    let pairs = Double(vectors / 2 * 2), single = Double(vectors % 2)
    return Double((rows + 5) / 6 * 6 * inputs) * 32 * (pairs / 230 + single / rate)
  }
}
