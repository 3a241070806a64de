import Compute
import Layers
import Tensors

/// The fixed rule by which `auto` chooses: it depends on the shape alone, so that training is reproducible.
///
/// It compares estimates of the time in nanoseconds. Their constants fit a core with 512-bit vectors (some 230
/// GFLOP/s); on others the ratios, which decide, are much the same.
enum AlgorithmRule {
  static func choice(
    _ geometry: ConvolutionGeometry, _ combine: Combination, _ input: FeatureShape, _ pass: Pass,
    from names: [String]
  ) -> String {
    if combine == .multiply, names.contains("depthwise"), DepthwiseConvolution.serves(geometry) {
      return depthwise(geometry, input, pass, from: names)
    }
    // Maxima save an instruction of three; what they cost beside it, on few outputs or terms, is more.
    if combine == .adder, pass == .forward, names.contains("max"), geometry.outputsPerGroup >= 32,
      geometry.channelsPerGroup * geometry.taps >= 64
    {
      return "max"
    }
    guard combine == .multiply, let output = try? geometry.outputShape(for: input) else { return names[0] }
    if pass == .weightGradient { return weightGradient(geometry, input, output, from: names) }
    let (inputs, outputs) =
      pass == .forward
      ? (geometry.channelsPerGroup, geometry.outputsPerGroup)
      : (geometry.outputsPerGroup, geometry.channelsPerGroup)
    // Sliding windows read each value once for three products: a single vector of outputs is no cliff.
    let direct =
      products(rows: output.pixels, inputs * geometry.taps, outputs, single: geometry.slides ? 200 : 130)
      * Double(geometry.groups)
    if names.contains("winograd"), WinogradConvolution.serves(geometry) {
      let image = pass == .forward ? output : input
      let tiles = image.batch * ((image.height + 3) / 4) * ((image.width + 3) / 4)
      let transforms = Double(tiles * (inputs + outputs)) * 9
      // Transformed weights are four times as many, and on small images most of the traffic.
      let weights = Double(36 * 4 * inputs * outputs) / 40
      // On small layers little is to be gained: they keep the smaller rounding error.
      let winograd = 36 * products(rows: tiles, inputs, outputs) + transforms + weights + 50_000
      if winograd < 0.8 * direct { return "winograd" }
    }
    // The frequency domain pays for large windows.
    if names.contains("fft"), geometry.taps >= 25, geometry.stride == Pair(1),
      FourierTiles.reach(geometry) <= 1024
    {
      let tiles = FourierTiles(geometry, output: pass == .forward ? output : input)
      if tiles.nanoseconds + 50_000 < 0.8 * direct { return "fft" }
    }
    return names[0]
  }

  /// Products at some 45 GFLOP/s, those in the padding left out, against the frequency domain for large windows.
  private static func depthwise(
    _ geometry: ConvolutionGeometry, _ input: FeatureShape, _ pass: Pass, from names: [String]
  ) -> String {
    guard names.contains("fft"), pass != .weightGradient, geometry.taps >= 225, geometry.stride == Pair(1),
      FourierTiles.reach(geometry) <= 1024, let output = try? geometry.outputShape(for: input)
    else { return "depthwise" }
    func inside(_ size: Int, _ outputs: Int, _ taps: Int, _ dilation: Int, _ padding: Int) -> Int {
      (0..<outputs).reduce(0) { sum, place in
        sum + (0..<taps).count { (0..<size).contains(place - padding + $0 * dilation) }
      }
    }
    let g = geometry
    let rows = inside(input.height, output.height, g.kernel.height, g.dilation.height, g.padding.top)
    let columns = inside(input.width, output.width, g.kernel.width, g.dilation.width, g.padding.left)
    let direct = Double(2 * input.batch * rows * columns * g.inputChannels) / 45
    // Its estimate is made for dense kernels; without their spectra, transforms run nearly twice as fast.
    let fourier = 0.6 * FourierTiles(geometry, output: pass == .forward ? output : input).nanoseconds
    return fourier < 0.8 * direct ? "fft" : "depthwise"
  }

  private static func weightGradient(
    _ geometry: ConvolutionGeometry, _ input: FeatureShape, _ output: FeatureShape, from names: [String]
  ) -> String {
    guard names.contains("winograd"), WinogradConvolution.serves(geometry) else { return names[0] }
    let (inputs, outputs) = (input.channels, output.channels)
    let tiles = output.batch * ((output.height + 3) / 4) * ((output.width + 3) / 4)
    let direct = products(rows: output.pixels, inputs * geometry.taps, outputs, single: 200)
    // The sums are 36 matrices, read and written for each chunk of tiles.
    let chunks = 2 + tiles * 36 * (inputs + outputs) / 400_000
    let sums = Double(chunks * 36 * 8 * inputs * outputs) / 60
    let transforms = Double(tiles * (inputs + outputs)) * 9
    let winograd = 36 * products(rows: tiles, inputs, outputs, single: 200) + transforms + sums + 50_000
    return winograd < 0.8 * direct ? "winograd" : names[0]
  }

  /// A matrix product's time: outputs come in vectors of 16, two of them at a time, rows in sixes.
  private static func products(rows: Int, _ inputs: Int, _ outputs: Int, single rate: Double = 130) -> Double
  {
    let vectors = (outputs + 15) / 16
    let pairs = Double(vectors / 2 * 2), single = Double(vectors % 2)
    return Double((rows + 5) / 6 * 6 * inputs) * 32 * (pairs / 230 + single / rate)
  }
}
