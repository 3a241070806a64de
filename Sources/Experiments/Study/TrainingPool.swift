import Dispatch
import Kernels
import Learning
import Synchronization
import Tensors

/// Trains several networks at the same time, one thread each: small layers gain more from that than from threads
/// of their own, and no result depends on it.
enum TrainingPool {
  /// One network to train.
  struct Job: Sendable {
    var specification: Specification
    var choice: KernelChoice
    var seed: Int
    /// What an epoch is worth in the estimate of the time left.
    var epochWork = 1.0
  }

  /// Trains all jobs, in their order, `threads` at a time; true if the user stopped it.
  ///
  /// - Parameter onEnd: called with each training that ended by itself; what it throws stops the others.
  static func run(
    _ jobs: [Job], threads: Int, _ progress: ProgressLine,
    onEnd: @escaping @Sendable (Int, TrainedRun) throws -> Void
  ) throws -> Bool {
    let next = Atomic(0), stopped = Atomic(false), isCancelled = Atomic(false)
    let failure = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, jobs.count))) { _ in
      while !stopped.load(ordering: .relaxed) {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < jobs.count else { return }
        do {
          let run = try train(jobs[index], progress) {
            if stopped.load(ordering: .relaxed) { throw Cancellation.Requested() }
          }
          try onEnd(index, run)
        } catch is Cancellation.Requested {
          stopped.store(true, ordering: .relaxed)
          isCancelled.store(true, ordering: .relaxed)
        } catch {
          stopped.store(true, ordering: .relaxed)
          failure.withLock { $0 = $0 ?? error }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    return isCancelled.load(ordering: .relaxed)
  }

  /// Trains one network to its end, or until it fails by itself.
  ///
  /// - Throws: only what asks to stop.
  private static func train(
    _ job: Job, _ progress: ProgressLine, checkStop: () throws -> Void
  ) throws -> TrainedRun {
    var run = TrainedRun(kernel: job.choice.item, seed: job.seed)
    do {
      let network = try job.specification.network(job.choice, seed: job.seed)
      let trainer = Trainer(
        network, on: job.specification.data, job.specification.recipe, seed: UInt64(job.seed), threads: 1)
      while !trainer.isFinished {
        let step = try trainer.step()
        try Cancellation.check()
        try checkStop()
        guard let epoch = step.epochResult else { continue }
        run.epochs.append(epoch)
        progress.advance(
          "\(job.choice.item), seed \(job.seed): epoch \(epoch.epoch)\(epoch.text)", work: job.epochWork)
      }
      if job.specification.looksAtTest { run.epochs.note(try trainer.finish()) }
      run.isFinished = true
      if network.hasLearnedPositions, let image = job.specification.data.test.images.image(0) {
        run.offsets = try? LearnedOffsets(of: network, image, threads: 1)
      }
    } catch let stop as Cancellation.Requested {
      throw stop
    } catch {
      run.failure = "\(error)"
    }
    return run
  }
}
