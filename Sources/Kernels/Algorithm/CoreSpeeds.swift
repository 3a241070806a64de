import Compute

/// The speeds of a core on which the estimates of algorithms rest.
///
/// They were fitted to measured times of layers, for each width of vectors on one processor. On other cores the ratios,
/// which decide, are similar.
struct CoreSpeeds {
  /// The share of the direct products' time that an algorithm with transforms may be estimated to take, since estimates
  /// are rough. Cores that compute 512-bit vectors in two halves take twice as long for products, but not for
  /// transforms, so in doubt transforms are right.
  let margin: Double
  /// Operations a nanosecond (GFLOP/s) of products in tiles two vectors wide.
  let pair: Double
  /// The same in tiles one vector wide: of a general window, of one whose neighbours share what they read, and of a
  /// gradient to the weights.
  let single: Double, sharing: Double, singleWeights: Double
  /// What `sliding` takes, relative to the products' estimate: for outputs and gradients to the input, and for gradients
  /// to the weights.
  let sliding: Double, slidingWeights: Double
  /// Operations a nanosecond of depthwise windows.
  let depthwise: Double
  /// Floats a nanosecond that Winograd's transforms read, and of the sums of a gradient to the weights.
  let winogradTransform: Double, winogradSums: Double
  /// Bytes a nanosecond of Winograd's transformed weights.
  let winogradWeights: Double
  /// Operations a nanosecond of spectra's products, and of Fourier transforms.
  let spectra: Double, fourierTransform: Double

  /// Those of this build's vectors.
  static let own = InstructionSet.lanes == 16 ? wide : narrow

  /// 512-bit vectors: an Intel Xeon with AVX-512.
  private static let wide = CoreSpeeds(
    margin: 1, pair: 230, single: 130, sharing: 200, singleWeights: 200, sliding: 1, slidingWeights: 1,
    depthwise: 45, winogradTransform: 4, winogradSums: 15, winogradWeights: 25, spectra: 180,
    fourierTransform: 12)

  /// 256-bit vectors: an AMD EPYC (Zen 3) with AVX2. Gradients to the weights by `sliding` keep some sums in memory.
  private static let narrow = CoreSpeeds(
    margin: 0.8, pair: 75, single: 50, sharing: 50, singleWeights: 50, sliding: 0.95, slidingWeights: 1.5,
    depthwise: 22, winogradTransform: 2.6, winogradSums: 6, winogradWeights: 12, spectra: 80,
    fourierTransform: 6)
}
