import Experiments
import Layers
import Learning
import Networks
import Tensors

extension TrainCommand {
  /// Trains once with each rate and returns the best on the validation split; the test split is not used.
  ///
  /// - Parameter makeNetwork: a new network for a seed.
  func tunedRate(
    _ recipe: Recipe, _ data: Dataset, makeNetwork: (Int) throws -> Network,
    isFrozen: (String) -> Bool
  ) throws -> Double {
    try RateTuning.check(data)
    let tuning = RateTuning(), rates = tuning.grid(recipe), seed = tuning.seeds(besides: [seed])[0]
    let progress = ProgressLine("tuning", total: rates.count * recipe.epochs)
    defer { progress.finish() }
    var scores: [(rate: Double, score: RateTuning.Score)] = []
    for rate in rates {
      let trainer = Trainer(
        try makeNetwork(seed), on: data, tuning.recipe(recipe, rate: rate), seed: UInt64(seed),
        threads: threads.count, isFrozen: isFrozen)
      var results: [TestResult] = [], failure: WorkbenchError?
      while failure == nil, !trainer.isFinished {
        try Cancellation.check()
        do {
          guard let epoch = try trainer.step().epochResult else { continue }
          results += [epoch.validation].compactMap { $0 }
          progress.advance("rate \(Cell.number(rate)), epoch \(epoch.epoch)\(epoch.text)")
        } catch let error as WorkbenchError { failure = error }
      }
      scores.append((rate, RateTuning.Score([failure == nil ? results.best : nil])))
      progress.finish()
      printing.say(
        "rate \(Cell.number(rate)): " + (failure?.description ?? "validation \(results.best?.text ?? "")"))
    }
    let best = RateTuning.best(scores) ?? recipe.schedule.rate
    printing.say("Rate \(Cell.number(best)) was chosen on the validation split, with seed \(seed).")
    return best
  }
}
