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

  /// A recipe for a number of epochs.
  public init(
    epochs: Int, batch: Int = 32, schedule: Schedule = Schedule(rate: 0.1, warmUp: 0.05),
    optimizer: OptimizerChoice = .sgd(.init(momentum: 0.9, nesterov: true, weightDecay: 5e-4)),
    smoothing: Double = 0, augments: Bool = false, shuffles: Bool = true
  ) {
    self.epochs = epochs
    self.batch = batch
    self.schedule = schedule
    self.optimizer = optimizer
    self.smoothing = smoothing
    self.augments = augments
    self.shuffles = shuffles
  }

  /// The main job's recipe; of a regression Adam's, whose steps do not grow with the errors.
  public static func standard(epochs: Int, isRegression: Bool = false) -> Recipe {
    Recipe(
      epochs: epochs, schedule: Schedule(rate: isRegression ? regressionRate : 0.1, warmUp: 0.05),
      optimizer: isRegression
        ? .adam(.init(weightDecay: 2e-3, isDecoupled: false))
        : .sgd(.init(momentum: 0.9, nesterov: true, weightDecay: 2e-3)),
      smoothing: 0.1,
      augments: true)
  }

  /// The highest learning rate of the main job's regressions.
  public static let regressionRate = 0.003
}
