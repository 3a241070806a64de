import Layers
import Tensors

/// The results of one step.
package struct StepResult: Hashable, Sendable {
  /// Counted from 1, over all epochs.
  package let step: Int
  /// The epoch it belongs to, counted from 1.
  package let epoch: Int
  /// The mean loss of its images, with the penalties that the model declares.
  package let loss: Double
  /// Its images classified correctly, in percent; nil in a regression.
  package let top1: Double?
  /// The learning rate.
  package let rate: Double
  /// The results of the epoch, if this was its last step.
  package let epochResult: EpochResult?
}

/// The position of a training: together with the weights and the optimiser's slots, all that the next step depends
/// on.
package struct TrainingState: Hashable, Sendable, Codable {
  /// Whole epochs.
  package var epoch = 0
  /// Steps in the present one.
  package var step = 0
  /// The random numbers' position at the start of the present epoch, from which its order follows.
  package var epochStart: UInt64
  /// Their present position.
  package var random: UInt64
  /// The sum of the present epoch's losses, over its images.
  package var loss = 0.0
  /// How many of them were classified rightly.
  package var correct = 0
  /// The best complete epoch so far on the validation split; nil if there is none yet, or no such split.
  package var best: Best?

  /// An epoch and how well it did.
  package struct Best: Hashable, Sendable, Codable {
    /// Counted from 1.
    package let epoch: Int
    /// On the validation split.
    package let result: TestResult
  }
}

/// Trains a network, step by step.
///
/// The order of the images and their changes depend on the seed alone; so do the results, for any number of threads.
package final class Trainer {
  /// Where it is.
  package private(set) var state: TrainingState
  /// The network.
  package let network: any Layer
  /// Its parameters that change, and their names.
  package let parameters: [NamedParameter]
  /// What changes them.
  package let optimizer: any Optimizer

  private let data: Dataset
  private let recipe: Recipe
  private let threads: Int
  private let batches: Int
  /// What a regression's targets are standardised by; nil in a classification, or if they are not.
  package let targetScale: TargetScale?
  /// The weights of the best epoch so far, one tensor for each of the network's state; nil if there is none.
  package private(set) var bestWeights: [Tensor]?
  private var random: Random
  private var order: [Int] = []
  private var start = ContinuousClock.now

  /// A training that has not begun.
  ///
  /// - Parameter isFrozen: which parameters stay as they are, by name.
  package init(
    _ network: any Layer, on data: Dataset, _ recipe: Recipe, seed: UInt64, threads: Int,
    isFrozen: (String) -> Bool = { _ in false }
  ) {
    self.network = network
    self.data = data
    self.recipe = recipe
    self.threads = threads
    parameters = network.parameters.filter { !isFrozen($0.name) }
    optimizer = recipe.optimizer.make(parameters.map(\.parameter))
    random = Random(seed: seed).split("order")
    targetScale = recipe.standardizesTargets ? TargetScale(data.train) : nil
    batches = (data.train.count + recipe.batch - 1) / recipe.batch
    state = TrainingState(epochStart: random.position, random: random.position)
  }

  /// Whether values are to be predicted, not classes.
  package var isRegression: Bool { data.isRegression }

  /// Whether all epochs are done, or the recipe's patience is exhausted.
  package var isFinished: Bool { state.epoch >= recipe.epochs || isOutOfPatience }

  /// Whether the last epochs were no better than the best one.
  private var isOutOfPatience: Bool {
    guard let patience = recipe.patience, let best = state.best else { return false }
    return state.step == 0 && state.epoch - best.epoch >= patience
  }

  /// Steps so far.
  package var steps: Int { state.epoch * batches + state.step }

  /// The mean loss of the present epoch's images so far, and how many of them were classified rightly, in percent; nil
  /// between epochs.
  package var epochSoFar: (loss: Double, top1: Double?)? {
    guard state.step > 0 else { return nil }
    let count = Double(min(state.step * recipe.batch, data.train.count))
    return (state.loss / count, isRegression ? nil : 100 * Double(state.correct) / count)
  }

  /// Continues from where another training was; weights and slots are the caller's to restore.
  ///
  /// - Parameter best: the weights of its best epoch, as ``bestWeights`` has them.
  package func restore(_ state: TrainingState, best: [Tensor]? = nil) throws {
    // The images of the present epoch; between epochs, those of the last.
    let seen =
      state.step > 0 ? min(state.step, batches) * recipe.batch : state.epoch > 0 ? data.train.count : 0
    guard (0...1_000_000).contains(state.epoch), (0..<batches).contains(state.step),
      (0...seen).contains(state.correct), seen > 0 || state.loss == 0,
      state.best.map({ (1...max(state.epoch, 1)).contains($0.epoch) }) ?? true,
      (state.best != nil) == (data.validation != nil && state.epoch > 0),
      (state.best != nil) == (best != nil)
    else {
      throw WorkbenchError(
        "The saved training is in step \(state.step) of epoch \(state.epoch), which this training does not have; use the same data."
      )
    }
    self.state = state
    bestWeights = best
    order = []
    if state.step > 0 {
      random = Random(position: state.epochStart)
      order = makeOrder()
    }
    random = Random(position: state.random)
  }

  /// The next step, and after an epoch's last one its validation.
  ///
  /// - Throws: a ``WorkbenchError`` if the loss is not a number.
  package func step() throws -> StepResult {
    if state.step == 0 {
      start = ContinuousClock.now
      state.epochStart = random.position
      order = makeOrder()
      state.loss = 0
      state.correct = 0
    }
    let count = data.train.count, first = state.step * recipe.batch
    let chosen = Array(order[first..<min(first + recipe.batch, count)])
    var (images, targets) = data.train.gather(chosen)
    if recipe.augments { data.augmentation.apply(to: &images, using: &random) }
    let rate = recipe.schedule.rate(step: steps, of: recipe.epochs * batches)
    let result = pass(images, targets)
    let loss = result.loss + parameters.reduce(0) { $0 + $1.parameter.addPenalty() }
    guard loss.isFinite else {
      throw WorkbenchError(
        "Training diverged in epoch \(state.epoch + 1): the loss is not a number; lower the learning rate.")
    }
    optimizer.step(rate: rate)
    let number = steps + 1, epoch = state.epoch + 1
    state.loss += loss * Double(chosen.count)
    state.correct += result.correct
    state.step += 1
    state.random = random.position
    return StepResult(
      step: number, epoch: epoch, loss: loss,
      top1: isRegression ? nil : 100 * Double(result.correct) / Double(chosen.count), rate: rate,
      epochResult: state.step == batches ? try finishEpoch(rate) : nil)
  }

  /// The loss of some images; sets the parameters' gradients.
  private func pass(_ images: Tensor, _ targets: Targets) -> BatchLoss {
    var context = Context(training: true, threads: threads)
    context.step = steps
    let result = targets.loss(
      network.forward(images, context), smoothing: recipe.smoothing, scale: targetScale)
    _ = network.backward(result.gradient, input: .unneeded, context)
    return result
  }

  private func finishEpoch(_ rate: Double) throws -> EpochResult {
    let validation = try data.validation.map(evaluate)
    state.epoch += 1
    state.step = 0
    if let validation, state.best.map({ validation.isBetter(than: $0.result) }) ?? true {
      state.best = TrainingState.Best(epoch: state.epoch, result: validation)
      bestWeights = network.state.map(\.parameter.value)
    }
    let count = Double(data.train.count)
    return EpochResult(
      epoch: state.epoch, rate: rate, trainLoss: state.loss / count,
      trainTop1: isRegression ? nil : 100 * Double(state.correct) / count, validation: validation,
      seconds: (ContinuousClock.now - start).seconds)
  }

  /// Gives the network the weights of the best epoch on the validation split, or keeps those of the last if there is
  /// no such split, and tests it. Call it once, at the end: no step may follow.
  ///
  /// - Throws: a ``WorkbenchError`` if the outputs are not numbers.
  package func finish() throws -> ChosenEpoch {
    if let bestWeights { exchange(bestWeights) }
    return ChosenEpoch(epoch: state.best?.epoch ?? state.epoch, test: try evaluate(data.test))
  }

  /// Calls `body` while the network has the weights of the best epoch so far; the present ones where there is none.
  package func withBestWeights<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard let bestWeights else { return try body() }
    let present = network.state.map(\.parameter.value)
    exchange(bestWeights)
    defer { exchange(present) }
    return try body()
  }

  private func exchange(_ values: [Tensor]) {
    for (entry, value) in zip(network.state, values) { entry.parameter.value = value }
  }

  private func evaluate(_ examples: Examples) throws -> TestResult {
    let result = Training.evaluate(
      network, examples, batch: min(256, recipe.batch), scale: targetScale, threads: threads)
    guard result.isFinite else {
      throw WorkbenchError(
        "Training diverged in epoch \(state.epoch + 1): the network's outputs are not numbers; lower the learning rate."
      )
    }
    return result
  }

  private func makeOrder() -> [Int] {
    let order = 0..<data.train.count
    return recipe.shuffles ? order.shuffled(using: &random) : Array(order)
  }
}
