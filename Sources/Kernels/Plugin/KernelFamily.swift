/// Kernels that resemble each other, for lists. The words before the colon say what sets them apart: where they read, how
/// they combine, where their weights come from, or what they are composed of.
public enum KernelFamily: String, Sendable, CaseIterable {
  /// A fixed grid of taps, multiplied and added.
  case grid = "Where it reads: a grid"
  /// Positions that are learned, or moved.
  case positions = "Where it reads: learned or moved positions"
  /// Several windows, or resolutions, in parallel.
  case branches = "Where it reads: several windows or resolutions"
  /// Other arithmetic than products.
  case arithmetic = "How it combines: other arithmetic than products"
  /// Learned weights that are transformed or merged before use.
  case weights = "Where its weights come from: changed before use"
  /// Weights that are computed from the input.
  case imageWeights = "Where its weights come from: the image"
  /// Several small operators, one after the other or multiplied.
  case stages = "Composed: several small operators"
  /// Pixels or channels weighted by the image's content.
  case attention = "Composed: attention and gates"
  /// Anything else.
  case other = "Others"
}
