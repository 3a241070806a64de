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

  /// Trains all jobs, in their order, `threads` at a time; those cut short hold the epochs that they finished.
  ///
  /// - Parameter onEnd: called with each training that ended by itself; what it throws stops the others.
  static func run(
    _ jobs: [Job], threads: Int, _ progress: ProgressLine,
    onEnd: @escaping @Sendable (Int, TrainedRun) throws -> Void = { _, _ in }
  ) throws -> (runs: [TrainedRun], isCancelled: Bool) {
    let runs = Mutex(jobs.map { TrainedRun(kernel: $0.choice.item, seed: $0.seed) })
    let next = Atomic(0), stopped = Atomic(false), isCancelled = Atomic(false)
    let failure = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, jobs.count))) { _ in
      while !stopped.load(ordering: .relaxed) {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < jobs.count else { return }
        do {
          let run = try train(jobs[index], progress) {
            if stopped.load(ordering: .relaxed) { throw Cancellation.Requested() }
          } onEpoch: { epoch in
            runs.withLock { $0[index].epochs.append(epoch) }
          }
          runs.withLock { $0[index] = run }
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
    return (runs.withLock { $0 }, isCancelled.load(ordering: .relaxed))
  }

  /// Trains one network to its end, or until it fails by itself.
  ///
  /// - Throws: only what asks to stop.
  private static func train(
    _ job: Job, _ progress: ProgressLine, checkStop: () throws -> Void, onEpoch: (EpochResult) -> Void
  ) throws -> TrainedRun {
    var run = TrainedRun(kernel: job.choice.item, seed: job.seed)
    do {
      let network = try job.specification.network(job.choice, seed: job.seed)
      try Training.train(
        network, on: job.specification.data, job.specification.recipe, seed: UInt64(job.seed), threads: 1
      ) {
        try Cancellation.check()
        try checkStop()
      } onEpoch: { epoch in
        run.epochs.append(epoch)
        onEpoch(epoch)
        progress.advance(
          "\(job.choice.item), seed \(job.seed): epoch \(epoch.epoch), \(epoch.test.text)",
          work: job.epochWork)
      }
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
