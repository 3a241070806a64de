import Tensors

/// How a pass runs.
public struct Context: Sendable {
  /// Whether layers keep what their backward pass needs, and normalise by the batch.
  public var training: Bool
  /// The threads that one layer may use. No result depends on it.
  public var threads: Int
  /// The training's step. Random layers depend on it and on their seeds alone.
  public var step = 0
  /// Whether layers keep what they make of their weights, such as packed ones, for the next pass.
  public var keepsPreparedWeights = true
  /// Where algorithms are chosen by measurement, in inference only; nil for the fixed rule.
  package var tuning: AlgorithmTuning?
  /// Who sees what the layers of a network read and write. Containers tell it; no other layer has to know.
  package var observer: Observer?
  /// What batch normalisation does in training.
  package var normalization = Normalization.batch
  /// What layers that decide note their decisions in, or take them from; nil where each pass decides for itself.
  public var decisions: Decisions?

  /// What batch normalisation does in training: studies of a network at its start may take it out.
  package enum Normalization: Sendable {
    /// It normalises by the batch, whose statistics depend on every pixel.
    case batch
    /// It normalises by the batch, whose statistics are constants to the backward pass.
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
