import Layers
import Tensors

extension ConvolutionLayer {
  /// One row, with the taps of the window where they lie on the regular grid.
  public func summaries(_ name: String, for input: FeatureShape) throws -> [LayerSummary] {
    var row = try summary(name, for: input)
    if sampling.isRegularGrid { row.taps = geometry.taps(on: input, output: row.output) }
    return [row]
  }
}

extension ComposedLayer {
  /// One row, with the taps of all windows inside.
  public func summaries(_ name: String, for input: FeatureShape) throws -> [LayerSummary] {
    var row = try summary(name, for: input)
    let taps = try body.summaries("", for: input).compactMap(\.taps)
    if !taps.isEmpty {
      row.taps = .init(
        count: taps.reduce(0) { $0 + $1.count }, beyond: taps.reduce(0) { $0 + $1.beyond })
    }
    return [row]
  }
}

extension ConvolutionGeometry {
  /// The window's taps, and how many of them no window of `output` has within the input.
  func taps(on input: FeatureShape, output: FeatureShape) -> LayerSummary.Taps {
    func reaching(_ taps: Int, _ windows: Int, _ extent: Int, stride: Int, padding: Int, dilation: Int) -> Int
    {
      (0..<taps).count { tap in
        (0..<windows).contains { (0..<extent).contains($0 * stride + tap * dilation - padding) }
      }
    }
    let rows = reaching(
      kernel.height, output.height, input.height, stride: stride.height, padding: padding.top,
      dilation: dilation.height)
    let columns = reaching(
      kernel.width, output.width, input.width, stride: stride.width, padding: padding.left,
      dilation: dilation.width)
    return .init(count: taps, beyond: taps - rows * columns)
  }
}
