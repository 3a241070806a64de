import Foundation
import Kernels
import Layers
import Learning
import Networks
import Tensors

/// Does single runs of a sweep.
struct SweepWork: Sendable {
  let folder: ResultFolder
  let claims: Claims
  let machine: MachineRecord
  /// Threads of what is measured. A training has one: small layers gain more from several trainings at a time than from
  /// threads of their own, and no result depends on it.
  let threads: Int
  /// How often a training is kept, in seconds.
  let checkpoints: Double

  /// Measures what is not a training.
  func measure(_ run: SweepPlan.Run) throws -> SweepRecord {
    var record = SweepRecord(run, machine)
    switch run.work {
    case .operators(let line, let plan):
      var study = OperatorStudy(plan)
      switch line.problem {
      case .success(let problem): try study.run(problem, nil)
      case .failure(let unsupported): study.add(unsupported: line.text, unsupported.description)
      }
      record.keep(study.rows, as: \.operators)
    case .network(let specification, let seconds, let withProxies):
      var study = NetworkStudy(specification)
      try study.measure(seconds: seconds, withProxies: withProxies)
      record.keep(study.rows, as: \.networks)
    case .layers(let specification):
      record.keep(try NetworkStudy(specification).layers(), as: \.layers)
    case .field(let settings, let kernel):
      record.result.field = try FieldStudy([kernel], settings.plan(threads: threads)) { kernel, seed in
        try settings.stack(kernel, seed: seed)
      }.rows.first
    case .match(let specification, let model, let budget):
      record.result.widths = try specification.matchedWidths(model, budget)
    case .training: break
    }
    return record
  }

  /// One network to train.
  struct Training {
    let run: SweepPlan.Run
    let specification: Specification
    let choice: KernelChoice
    let seed: Int

    /// Nil for a run that is none.
    init?(_ run: SweepPlan.Run) {
      guard case .training(let specification, let choice, let seed, _) = run.work else { return nil }
      self.run = run
      self.specification = specification
      self.choice = choice
      self.seed = seed
    }
  }

  /// Resumes a training and continues to its end, or until it fails; nil if the model refuses the kernel.
  ///
  /// - Parameters:
  ///   - check: called after each step; when it throws, the training is kept.
  ///   - onEpoch: called after each epoch.
  /// - Throws: only what `check` throws.
  func train(
    _ training: Training, check: () throws -> Void, onEpoch: (EpochResult) -> Void
  ) throws -> SweepRecord? {
    let specification = training.specification, data = specification.data
    guard let network = try? specification.network(training.choice, seed: training.seed),
      (try? network.outputShape(for: data.imageShape)) != nil
    else { return nil }
    let trainer = Trainer(
      network, on: data, specification.recipe, seed: UInt64(training.seed), threads: 1)
    let checkpoint = RunCheckpoint(training.run, folder)
    var run = TrainedRun(kernel: training.choice.item, seed: training.seed)
    run.epochs = checkpoint.restore(trainer)?.epochs ?? []
    func record() -> SweepRecord {
      var record = SweepRecord(training.run, machine)
      record.keep(run)
      return record
    }
    var kept = ContinuousClock.now
    while !trainer.isFinished {
      do {
        let step = try trainer.step()
        if let epoch = step.epochResult {
          run.epochs.append(epoch)
          onEpoch(epoch)
        }
      } catch {
        run.failure = "\(error)"
        return record()
      }
      guard !trainer.isFinished else { break }
      do { try check() } catch let stop as Cancellation.Requested {
        try checkpoint.save(trainer, record(), claims)
        throw stop
      }
      if (ContinuousClock.now - kept).seconds >= checkpoints {
        // If there is no room now there may be some later; running work continues.
        try? checkpoint.save(trainer, record(), claims)
        kept = .now
      }
    }
    if specification.looksAtTest {
      do { run.epochs.note(try trainer.finish()) } catch {
        run.failure = "\(error)"
        return record()
      }
    }
    if network.hasLearnedPositions, let image = data.test.images.image(0) {
      run.offsets = try? LayerOffsets(of: network, image, threads: 1)
    }
    return record()
  }
}

extension Dataset {
  /// One image as a network's input.
  var imageShape: FeatureShape {
    let shape = train.images.shape
    return FeatureShape(batch: 1, height: shape[1], width: shape[2], channels: shape[3])
  }
}
