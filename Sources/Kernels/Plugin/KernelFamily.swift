/// Kernels that resemble each other, for lists.
public enum KernelFamily: String, Sendable, CaseIterable {
  /// A fixed grid of taps, multiplied and added.
  case grid = "Grids"
  /// Learned positions.
  case positions = "Learned positions"
  /// Other arithmetic than products, or none.
  case arithmetic = "Moves and distances"
  /// Learned weights that are transformed before use.
  case weights = "Weights changed before use"
  /// Several small convolutions, one after the other.
  case stages = "Stages in sequence"
  /// Several in parallel.
  case branches = "Branches in parallel"
  /// Pixels or channels weighted by the image's content.
  case attention = "Attention"
  /// Anything else.
  case other = "Others"
}
