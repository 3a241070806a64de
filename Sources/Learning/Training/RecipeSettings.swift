import Tensors

/// The settings of a recipe.
package struct RecipeSettings: Settable {
  package enum OptimizerName: String, Sendable, CaseIterable { case sgd, adam, adamw }
  package enum ScheduleName: String, Sendable, CaseIterable { case constant, cosine, step }

  package var epochs = 15
  package var batch = 32
  package var optimizer: OptimizerName?
  package var rate: Double?
  var momentum = 0.9
  var nesterov = true
  var weightDecay: Double?
  var schedule = ScheduleName.cosine
  var milestones: [Double]?
  var warmUp = 0.05
  var smoothing = 0.1
  var augment = true
  var shuffle = true
  var standardize = true
  package var patience: Int?

  package init() {}

  package static let epochs = Setting(
    "epochs", \Self.epochs, .whole(1...1_000_000), "Passes over the training data")
  package static let batch = Setting("batch", \Self.batch, .whole(1...1_048_576), "Images in a step")
  package static let optimizer = Setting(
    "optimizer", \Self.optimizer, .word,
    "The optimiser, as in PyTorch: sgd, adam or adamw (default: sgd; adam for a regression)")
  package static let rate = Setting(
    "rate", \Self.rate, .number(0...1000),
    "The highest learning rate (default: 0.1, in run 0.05 on generated tasks; 0.001 for adam and adamw, 0.003 for a regression)"
  )
  package static let momentum = Setting("momentum", \Self.momentum, .number(0...1), "The momentum of sgd")
  package static let nesterov = Setting("nesterov", \Self.nesterov, .flag, "Nesterov's momentum")
  package static let weightDecay = Setting(
    "weight-decay", \Self.weightDecay, .number(0...1000),
    "L2 weight decay (default: 0.002; 0 for models with their own penalties)")
  package static let schedule = Setting(
    "schedule", \Self.schedule, .word,
    "How the rate changes: constant, cosine (to zero), or step (to a tenth at each milestone)")
  package static let milestones = Setting(
    "milestones", \Self.milestones, .numbers(0...1),
    "Shares of all steps after which the rate falls to a tenth (default: 0.5 0.75)")
  package static let warmUp = Setting(
    "warm-up", \Self.warmUp, .number(0...1), "The share of all steps in which the rate rises from zero")
  package static let smoothing = Setting(
    "smoothing", \Self.smoothing, .number(0...1),
    "Label smoothing: the share of each label that is spread over all classes")
  package static let augment = Setting(
    "augment", \Self.augment, .onOff,
    "Whether training images are shifted and mirrored, where the data allow it")
  package static let shuffle = Setting(
    "shuffle", \Self.shuffle, .onOff, "Whether each epoch has its own order of images")
  package static let standardize = Setting(
    "standardize", \Self.standardize, .onOff,
    "Whether a regression is trained on standardised targets (mean 0, deviation 1); errors are always in the targets' units"
  )
  package static let patience = Setting(
    "patience", \Self.patience, .whole(1...1_000_000),
    "Stop after this many epochs without improvement on the validation split (default: never)"
  )

  /// All of them, in the order of lists.
  package static let all = [
    epochs, batch, optimizer, rate, momentum, nesterov, weightDecay, schedule, milestones, warmUp, smoothing,
    augment, shuffle, standardize, patience,
  ]

  /// Refuses settings that contradict each other.
  package func check() throws {
    guard milestones == nil || schedule == .step else {
      throw WorkbenchError("milestones belong to the schedule step; choose it, or leave them out.")
    }
  }

  /// The recipe for a classification or a regression, by a model with penalties of its own or without: they start from
  /// other defaults.
  package func recipe(isRegression: Bool = false, hasPenalties: Bool = false) -> Recipe {
    let optimizer = optimizer ?? (isRegression ? .adam : .sgd)
    let decay = weightDecay ?? (hasPenalties ? 0 : 0.002)
    let rule: Schedule.Rule =
      switch schedule {
      case .constant: .constant
      case .cosine: .cosine
      case .step: .step(at: milestones ?? [0.5, 0.75], factor: 0.1)
      }
    return Recipe(
      epochs: epochs, batch: batch,
      schedule: Schedule(
        rate: rate ?? (optimizer == .sgd ? 0.1 : isRegression ? 0.003 : 0.001), rule: rule, warmUp: warmUp),
      optimizer: optimizer == .sgd
        ? .sgd(.init(momentum: momentum, nesterov: nesterov && momentum > 0, weightDecay: decay))
        : .adam(.init(weightDecay: decay, isDecoupled: optimizer == .adamw)),
      smoothing: smoothing, augments: augment, shuffles: shuffle,
      standardizesTargets: isRegression && standardize, patience: patience)
  }
}

extension Recipe {
  /// The recipe of default settings; of a regression Adam's, whose steps do not grow with the errors.
  ///
  /// - Parameter hasPenalties: whether the model declares penalties of its own, which leave no weight decay.
  package static func standard(epochs: Int, isRegression: Bool = false, hasPenalties: Bool = false) -> Recipe
  {
    var settings = RecipeSettings()
    settings.epochs = epochs
    return settings.recipe(isRegression: isRegression, hasPenalties: hasPenalties)
  }
}
