import Tensors

/// How a pass runs.
public struct Context: Sendable {
  /// Whether layers keep what their backward pass needs, and normalise by the batch.
  public var training: Bool
  /// The number of threads that one layer may use. No result depends on it.
  public var threads: Int
  /// The training's step. Random layers depend on it and on their seeds alone.
  public var step = 0
  /// Whether layers keep derived forms of their weights, such as packed ones, for the next pass.
  public var keepsPreparedWeights = true
  /// Measurements by which algorithms are chosen, in inference only; nil to choose by estimates.
  package var tuning: AlgorithmTuning?
  /// Sees what the layers of a network read and write. Containers notify it; no other layer has to know of it.
  package var observer: Observer?
  /// What batch normalisation does in training.
  package var normalization = Normalization.batch
  /// Where layers store their decisions, or find those to repeat; nil if each pass decides for itself.
  public var decisions: Decisions?

  /// What batch normalisation does in training. Studies of untrained networks may switch it off.
  package enum Normalization: Sendable {
    /// It normalises by the batch, and gradients flow through the batch's statistics.
    case batch
    /// It normalises by the batch, but the backward pass treats the statistics as constants.
    case constant
    /// Nothing: its output is its input.
    case none
  }

  /// A context for training or for inference.
  public init(training: Bool, threads: Int) {
    self.training = training
    self.threads = threads
  }

  /// A context for inference that may choose algorithms by measurement.
  package init(training: Bool, threads: Int, tuning: AlgorithmTuning?) {
    self.init(training: training, threads: threads)
    self.tuning = tuning
  }
}
