import ArgumentParser
import Learning

/// How a network is trained, on the command line; by default as in the main job.
struct RecipeOptions: ParsableArguments {
  enum OptimizerName: String, CaseIterable, ExpressibleByArgument { case sgd, adam, adamw }
  enum ScheduleName: String, CaseIterable, ExpressibleByArgument { case constant, cosine, step }
  enum Switch: String, CaseIterable, ExpressibleByArgument { case on, off }

  @Option(help: ArgumentHelp("Passes over the training data.", valueName: "n"))
  var epochs = 15
  @Option(help: ArgumentHelp("Images in a step.", valueName: "n"))
  var batch = 32
  @Option(help: "sgd, adam or adamw, as PyTorch's (default: sgd, in a regression adam).")
  var optimizer: OptimizerName?
  @Option(
    help: ArgumentHelp(
      "The highest learning rate (default: 0.1; of adam and adamw 0.001, in a regression 0.003).",
      valueName: "x"))
  var rate: Double?
  @Option(help: ArgumentHelp("The momentum of sgd.", valueName: "x"))
  var momentum = 0.9
  @Flag(inversion: .prefixedNo, help: "Nesterov's momentum.")
  var nesterov = true
  @Option(
    help: ArgumentHelp(
      "The share of the weights that is added to their gradients (default: 0.002; of models with penalties of their own 0).",
      valueName: "x"))
  var weightDecay: Double?
  @Option(
    help: "How the rate changes: constant, cosine (to zero), or step (a tenth at each of --milestones).")
  var schedule = ScheduleName.cosine
  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Shares of all steps after which the rate is a tenth (default: 0.5 0.75).", valueName: "x"))
  var milestones: [Double] = []
  @Option(help: ArgumentHelp("The share of all steps in which the rate rises from zero.", valueName: "x"))
  var warmUp = 0.05
  @Option(help: ArgumentHelp("The share of each label that is spread over all classes.", valueName: "x"))
  var smoothing = 0.1
  @Option(help: "Whether training images are shifted and mirrored, as the data allow: on or off.")
  var augment = Switch.on
  @Option(help: "Whether each epoch has an order of its own: on or off.")
  var shuffle = Switch.on
  @Option(
    help:
      "Whether a regression is trained on targets less their mean, by their deviation; errors are in the targets' units in any case: on or off."
  )
  var standardize = Switch.on

  func validate() throws {
    try check(epochs, "--epochs", 1...1_000_000)
    try check(batch, "--batch", 1...1_048_576)
    for (value, name, range) in [
      (rate ?? 0.1, "--rate", 0...1000.0), (momentum, "--momentum", 0...1),
      (weightDecay ?? 0, "--weight-decay", 0...1000),
      (warmUp, "--warm-up", 0...1), (smoothing, "--smoothing", 0...1),
    ] + milestones.map({ ($0, "--milestones", 0...1.0) }) {
      guard range.contains(value) else {
        throw ValidationError(
          "\(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound).")
      }
    }
    guard milestones.isEmpty || schedule == .step else {
      throw ValidationError("--milestones belong to --schedule step.")
    }
  }

  /// The recipe for a classification or a regression, by a model with penalties of its own or without.
  func recipe(isRegression: Bool, hasPenalties: Bool) -> Recipe {
    let decay = weightDecay ?? Recipe.weightDecay(hasPenalties: hasPenalties)
    let rule: Schedule.Rule =
      switch schedule {
      case .constant: .constant
      case .cosine: .cosine
      case .step: .step(at: milestones.isEmpty ? [0.5, 0.75] : milestones, factor: 0.1)
      }
    let optimizer = optimizer ?? (isRegression ? .adam : .sgd)
    let choice: OptimizerChoice =
      optimizer == .sgd
      ? .sgd(.init(momentum: momentum, nesterov: nesterov && momentum > 0, weightDecay: decay))
      : .adam(.init(weightDecay: decay, isDecoupled: optimizer == .adamw))
    let adamRate = isRegression ? Recipe.regressionRate : 0.001
    return Recipe(
      epochs: epochs, batch: batch,
      schedule: Schedule(rate: rate ?? (optimizer == .sgd ? 0.1 : adamRate), rule: rule, warmUp: warmUp),
      optimizer: choice, smoothing: smoothing, augments: augment == .on, shuffles: shuffle == .on,
      standardizesTargets: isRegression && standardize == .on)
  }

  /// The recipe by the names of the options. Where the rate is constant, nothing depends on the number of epochs.
  func definition(of recipe: Recipe) -> [String: String] {
    var definition = [
      "epochs": schedule == .constant && warmUp == 0 ? "any" : "\(epochs)", "batch": "\(batch)",
      "optimizer": "\(recipe.optimizer)", "schedule": "\(recipe.schedule)", "smoothing": "\(smoothing)",
      "augment": augment.rawValue, "shuffle": shuffle.rawValue,
    ]
    // Trainings from before it could be chosen have no such entry, and no such targets.
    if recipe.standardizesTargets { definition["targets"] = "standardised" }
    return definition
  }
}
