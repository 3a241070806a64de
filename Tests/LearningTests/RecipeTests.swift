import Testing

@testable import Learning

/// Recipes, and how records and saved trainings know them.
@Suite struct RecipeTests {
  @Test func defaultsAreTheMainJobs() {
    let recipe = RecipeSettings().recipe()
    #expect(recipe == .standard(epochs: 15))
    #expect(
      recipe
        == Recipe(
          epochs: 15, batch: 32, schedule: Schedule(rate: 0.1, rule: .cosine, warmUp: 0.05),
          optimizer: .sgd(.init(momentum: 0.9, nesterov: true, weightDecay: 0.002)), smoothing: 0.1,
          augments: true, shuffles: true))
    let regression = Recipe.standard(epochs: 2, isRegression: true, hasPenalties: true)
    #expect(regression.schedule.rate == 0.003 && regression.standardizesTargets)
    #expect(regression.optimizer == .adam(.init(weightDecay: 0, isDecoupled: false)))
  }

  /// Trainings are saved with these words, which the first versions printed by reflection: they may never change.
  @Test func savedTrainingsStayResumable() throws {
    var settings = RecipeSettings()
    #expect(
      settings.recipe().savedDefinition == [
        "epochs": "15", "batch": "32",
        "optimizer":
          "sgd(Learning.SGD.Options(momentum: 0.9, nesterov: true, weightDecay: 0.002, adderRate: 0.2))",
        "schedule": "Schedule(rate: 0.1, rule: Learning.Schedule.Rule.cosine, warmUp: 0.05)",
        "smoothing": "0.1", "augment": "on", "shuffle": "on",
      ])
    for (name, text) in [
      ("optimizer", "adamw"), ("rate", "0.01"), ("schedule", "step"), ("augment", "off"), ("warm-up", "0"),
    ] {
      let setting = try #require(RecipeSettings.all.first { $0.name == name })
      try setting.set(&settings, [text], label: name)
    }
    let recipe = settings.recipe(isRegression: true)
    #expect(
      recipe.savedDefinition["optimizer"]
        == "adam(Learning.Adam.Options(beta1: 0.9, beta2: 0.999, epsilon: 1e-08, weightDecay: 0.002, isDecoupled: true, adderRate: 0.2))"
    )
    #expect(
      recipe.savedDefinition["schedule"]
        == "Schedule(rate: 0.01, rule: Learning.Schedule.Rule.step(at: [0.5, 0.75], factor: 0.1), warmUp: 0.0)"
    )
    #expect(recipe.savedDefinition["targets"] == "standardised" && recipe.savedDefinition["augment"] == "off")
    // As long as nothing was added to them, reflection prints the same.
    for recipe in [RecipeSettings().recipe(), recipe] {
      #expect(recipe.savedDefinition["optimizer"] == "\(recipe.optimizer)")
      #expect(recipe.savedDefinition["schedule"] == "\(recipe.schedule)")
    }
    try RecipeSettings.schedule.set(&settings, ["constant"], label: "schedule")
    #expect(settings.recipe().savedDefinition["epochs"] == "any")
  }

  @Test func settingsThatDoNotGoTogetherAreRefused() throws {
    var settings = RecipeSettings()
    try RecipeSettings.milestones.set(&settings, ["0.5"], label: "milestones")
    #expect(throws: (any Error).self) { try settings.check() }
    try RecipeSettings.schedule.set(&settings, ["step"], label: "schedule")
    try settings.check()
  }
}
