/// How a network is trained.
public struct Recipe: Hashable, Sendable, Codable {
  /// Passes over the training split.
  public var epochs: Int
  /// Images in a step.
  public var batch: Int
  /// The learning rate.
  public var schedule: Schedule
  /// The optimiser.
  public var optimizer: OptimizerChoice
  /// Label smoothing.
  public var smoothing: Double
  /// Whether images are shifted and mirrored as the dataset allows.
  public var augments: Bool
  /// Whether each epoch has an order of its own; else all have the data's.
  public var shuffles: Bool
  /// Whether a regression is trained on its targets less their mean, by their deviation.
  public var standardizesTargets: Bool

  /// A recipe for a number of epochs.
  public init(
    epochs: Int, batch: Int = 32, schedule: Schedule = Schedule(rate: 0.1, warmUp: 0.05),
    optimizer: OptimizerChoice = .sgd(.init(momentum: 0.9, nesterov: true, weightDecay: 5e-4)),
    smoothing: Double = 0, augments: Bool = false, shuffles: Bool = true,
    standardizesTargets: Bool = false
  ) {
    self.epochs = epochs
    self.batch = batch
    self.schedule = schedule
    self.optimizer = optimizer
    self.smoothing = smoothing
    self.augments = augments
    self.shuffles = shuffles
    self.standardizesTargets = standardizesTargets
  }
}
