import Tensors

/// How a network is trained.
package struct Recipe: Hashable, Sendable, Codable {
  /// Passes over the training split.
  package var epochs: Int
  /// Images in a step.
  package var batch: Int
  /// The learning rate.
  package var schedule: Schedule
  /// The optimiser.
  package var optimizer: OptimizerChoice
  /// Label smoothing.
  package var smoothing: Double
  /// Whether images are shifted and mirrored as the dataset allows.
  package var augments: Bool
  /// Whether each epoch has an order of its own; else all have the data's.
  package var shuffles: Bool
  /// Whether a regression is trained on standardised targets.
  package var standardizesTargets: Bool
  /// The training stops after this many epochs without improvement on the validation split; nil for never.
  package var patience: Int?

  /// A recipe for a number of epochs.
  package init(
    epochs: Int, batch: Int = 32, schedule: Schedule = Schedule(rate: 0.1, warmUp: 0.05),
    optimizer: OptimizerChoice = .sgd(.init(momentum: 0.9, nesterov: true, weightDecay: 5e-4)),
    smoothing: Double = 0, augments: Bool = false, shuffles: Bool = true,
    standardizesTargets: Bool = false, patience: Int? = nil
  ) {
    self.epochs = epochs
    self.batch = batch
    self.schedule = schedule
    self.optimizer = optimizer
    self.smoothing = smoothing
    self.augments = augments
    self.shuffles = shuffles
    self.standardizesTargets = standardizesTargets
    self.patience = patience
  }
}

extension Dataset {
  /// Refuses data that do not fit the recipe.
  package func check(fits recipe: Recipe) throws {
    guard recipe.patience == nil || validation != nil else {
      throw WorkbenchError(
        "The data \(name) have no validation split, which patience needs; leave out patience, or give them one (docs/data.md)."
      )
    }
  }
}
