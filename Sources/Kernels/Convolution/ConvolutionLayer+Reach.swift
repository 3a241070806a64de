import Layers
import Tensors

extension ConvolutionLayer: HasWindows {
  /// The taps of the window where they lie on the regular grid.
  package func taps(for input: FeatureShape) throws -> LayerSummary.Taps? {
    sampling.isRegularGrid ? geometry.taps(on: input, output: try outputShape(for: input)) : nil
  }
}

extension ComposedLayer: HasWindows {
  /// The taps of all windows inside.
  package func taps(for input: FeatureShape) throws -> LayerSummary.Taps? {
    let taps = try LayerSummary.rows(of: inner, for: input).compactMap(\.taps)
    guard !taps.isEmpty else { return nil }
    return .init(count: taps.reduce(0) { $0 + $1.count }, beyond: taps.reduce(0) { $0 + $1.beyond })
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
