/// Kernels that answer one question alike.
public enum KernelFamily: String, Sendable, CaseIterable {
  /// A fixed grid of taps, multiplied and added.
  case grid = "Grids"
  /// Learned positions.
  case positions = "Learned positions"
  /// Other arithmetic than products, or none.
  case arithmetic = "Moves and distances"
  /// Learned weights that are changed before they are used.
  case weights = "Weights changed before use"
  /// Several small convolutions, one after the other.
  case stages = "Stages in sequence"
  /// Several side by side.
  case branches = "Branches in parallel"
  /// Every pixel, or every channel, weighed by what the image holds.
  case attention = "Attention"
  /// Anything else.
  case other = "Others"
}
