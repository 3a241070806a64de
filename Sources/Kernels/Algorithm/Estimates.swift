import Compute
import Layers
import Tensors

/// Estimates that several algorithms share, in nanoseconds, by the speeds of `CoreSpeeds`.
enum Estimates {
  /// Nanoseconds that are added to the time of transforms: small layers gain little, so they keep the direct algorithm's
  /// smaller rounding error.
  static let least = 50_000.0

  /// The products of a dense convolution by microkernels over rows of pixels.
  ///
  /// - Parameter sharing: whether neighbouring windows share what they read, if they overlap.
  static func products(
    _ geometry: ConvolutionGeometry, _ pass: Pass, _ input: FeatureShape, sharing: Bool = false
  ) -> Double {
    let output = geometry.checkedOutput(input), speeds = CoreSpeeds.own
    let single = sharing && geometry.slides ? speeds.sharing : speeds.single
    switch pass {
    case .forward:
      return products(
        rows: output.pixels, geometry.channelsPerGroup * geometry.taps, geometry.outputsPerGroup,
        single: single) * Double(geometry.groups)
    case .inputGradient:
      return products(
        rows: output.pixels, geometry.outputsPerGroup * geometry.taps, geometry.channelsPerGroup,
        single: single) * Double(geometry.groups)
    case .weightGradient:
      return products(
        rows: output.pixels, input.channels * geometry.taps, output.channels, single: speeds.singleWeights)
    }
  }

  /// A matrix product: outputs in pairs of vectors, rows in sixes.
  ///
  /// - Parameter rate: the GFLOP/s of tiles that are one vector wide.
  static func products(
    rows: Int, _ inputs: Int, _ outputs: Int, single rate: Double = CoreSpeeds.own.single
  ) -> Double {
    let lanes = InstructionSet.lanes, vectors = (outputs + lanes - 1) / lanes
    let pairs = Double(vectors / 2 * 2), single = Double(vectors % 2)
    return Double((rows + 5) / 6 * 6 * inputs * 2 * lanes) * (pairs / CoreSpeeds.own.pair + single / rate)
  }
}
