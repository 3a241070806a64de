import Compute
import Layers
import Tensors

/// The fixed rule by which `auto` chooses: it depends on the shape alone, so that training is reproducible.
enum AlgorithmRule {
  static func choice(
    _ geometry: ConvolutionGeometry, _ combine: Combine, _ input: FeatureShape, _ pass: Pass,
    from names: [String]
  ) -> String {
    "direct"
  }
}
