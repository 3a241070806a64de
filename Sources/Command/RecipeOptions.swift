import ArgumentParser
import Learning
import Tensors

/// How a network is trained, on the command line.
struct RecipeOptions: ParsableArguments {
  @Option(RecipeSettings.epochs) var epochs: String?
  @OptionGroup var others: OtherRecipeOptions

  func validate() throws { _ = try settings() }

  /// What they say.
  func settings() throws -> RecipeSettings { try others.settings([Given(RecipeSettings.epochs, epochs)]) }
}

/// The options of a recipe but for the epochs, of which commands have their own defaults.
struct OtherRecipeOptions: ParsableArguments {
  @Option(RecipeSettings.batch) var batch: String?
  @Option(RecipeSettings.optimizer) var optimizer: String?
  @Option(RecipeSettings.rate) var rate: String?
  @Option(RecipeSettings.momentum) var momentum: String?
  @Flag(RecipeSettings.nesterov) var nesterov: Bool?
  @Option(RecipeSettings.weightDecay) var weightDecay: String?
  @Option(RecipeSettings.schedule) var schedule: String?
  @Option(RecipeSettings.milestones) var milestones: [String]
  @Option(RecipeSettings.warmUp) var warmUp: String?
  @Option(RecipeSettings.smoothing) var smoothing: String?
  @Option(RecipeSettings.augment) var augment: String?
  @Option(RecipeSettings.shuffle) var shuffle: String?
  @Option(RecipeSettings.standardize) var standardize: String?
  @Option(RecipeSettings.patience) var patience: String?

  func validate() throws {
    do { try settings().check() } catch let error as WorkbenchError {
      throw ValidationError(error.description)
    }
  }

  /// What they say, and what else is given.
  func settings(_ others: [Given<RecipeSettings>] = []) throws -> RecipeSettings {
    typealias Recipe = RecipeSettings
    return try Command.settings(
      others + [
        Given(Recipe.batch, batch), Given(Recipe.optimizer, optimizer), Given(Recipe.rate, rate),
        Given(Recipe.momentum, momentum), Given(Recipe.nesterov, isOn: nesterov),
        Given(Recipe.weightDecay, weightDecay), Given(Recipe.schedule, schedule),
        Given(Recipe.milestones, milestones), Given(Recipe.warmUp, warmUp),
        Given(Recipe.smoothing, smoothing),
        Given(Recipe.augment, augment), Given(Recipe.shuffle, shuffle),
        Given(Recipe.standardize, standardize),
        Given(Recipe.patience, patience),
      ])
  }
}
