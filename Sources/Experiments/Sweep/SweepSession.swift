import Dispatch
import Foundation
import Learning
import Synchronization
import Tensors

/// What one process does of a sweep: it takes runs from the queues until there are none left.
final class SweepSession: Sendable {
  /// The records that it knows of.
  let keeper: RecordKeeper
  private let runner: SweepRunner
  private let folder: ResultFolder
  private let claims: Claims
  private let options: SweepRunner.Options
  private let work: SweepWork
  private let given = Mutex<[RunFailures]>([])

  init(
    _ runner: SweepRunner, _ folder: ResultFolder, _ claims: Claims, _ keeper: RecordKeeper,
    _ machine: MachineRecord, _ options: SweepRunner.Options
  ) {
    self.runner = runner
    self.folder = folder
    self.claims = claims
    self.keeper = keeper
    self.options = options
    work = SweepWork(
      folder: folder, claims: claims, machine: machine, threads: runner.threads,
      checkpoints: options.checkpoints)
  }

  /// The runs that were given up.
  var failures: [RunFailures] { given.withLock { $0 } }

  /// Does what is missing; true if the user stopped it. A part of many leaves when nothing can be claimed; who does
  /// everything waits for what others have claimed, and takes over what they leave.
  func run(_ missing: [SweepPlan.Run]) throws -> Bool {
    let measured = queue(missing.filter { !$0.isTraining })
    var queues = [measured]
    defer { given.withLock { $0 = queues.flatMap(\.failures) } }
    do {
      try measure(measured)
      // Now the networks are counted, as far as it is this process's to do.
      let known = keeper.records
      let wanted = missing.filter { $0.isTraining && !SweepRunner.isRefused($0, known) }
      let estimates = SweepEstimates(runner.plan, known, isCounted: !wanted.isEmpty)
      let orders = wanted.map(estimates.order)
      let trained = wanted.indices.sorted { (orders[$1], $0) < (orders[$0], $1) }.map { wanted[$0] }
      let training = queue(trained)
      queues.append(training)
      while true {
        if try train(training, trained, estimates) { return true }
        // What follows from these runs waits until all are done, by this process or another.
        guard !options.isPart || !runner.plan.isComplete, queues.contains(where: { $0.elsewhere > 0 }) else {
          return false
        }
        try wait(max(min(options.heartbeat, 5), training.pause))
        try measure(measured)
      }
    } catch is Cancellation.Requested {
      return true
    }
  }

  private func queue(_ runs: [SweepPlan.Run]) -> SweepQueue {
    SweepQueue(
      runs, options.shard ?? .whole, folder, claims, keeper,
      by: options.rerun == nil ? nil : ProgramBuild.fingerprint, forgives: options.only != nil,
      countsDeaths: options.isPart)
  }

  /// Waits some seconds for others.
  private func wait(_ seconds: Double) throws {
    let start = ContinuousClock.now
    while (ContinuousClock.now - start).seconds < seconds {
      try Cancellation.check()
      Thread.sleep(forTimeInterval: min(seconds, 0.2))
    }
  }

  /// Times operators and networks, and measures receptive fields, one run after the other.
  private func measure(_ queue: SweepQueue) throws {
    guard queue.elsewhere > 0 else { return }
    let progress = ProgressLine("measurements", total: queue.elsewhere)
    defer { progress.finish() }
    while true {
      try Cancellation.check()
      guard let run = try queue.next() else { return }
      progress.show(run.label)
      let record: SweepRecord
      do { record = try work.measure(run) } catch let stop as Cancellation.Requested {
        queue.release(run)
        throw stop
      } catch {
        try queue.fail(run, error)
        continue
      }
      try keep(record, of: run, queue)
      progress.advance(run.label)
    }
  }

  /// Keeps what came out, and ends the claim.
  private func keep(_ record: SweepRecord, of run: SweepPlan.Run, _ queue: SweepQueue) throws {
    do {
      // Who took this run over may have been quicker.
      if claims.isHeld(run.name) || !keeper.isDone(run.name, by: record.timing.build) {
        try keeper.add(record)
      }
    } catch {
      queue.release(run)
      throw error
    }
    RunCheckpoint(run, folder).remove()
    RunFailures.remove(run.name, in: folder)
    queue.settle(run)
    if let place = options.tensorboard { try record.writeEvents(to: place, isNew: true) }
  }

  /// Why a training ends before its last epoch.
  private struct Lost: Error {}

  /// Trains several networks at the same time; true if the user stopped it.
  private func train(_ queue: SweepQueue, _ runs: [SweepPlan.Run], _ estimates: SweepEstimates) throws -> Bool
  {
    guard !runs.isEmpty else { return false }
    let trainings = runs.compactMap(SweepWork.Training.init)
    let progress = ProgressLine(
      "training", total: trainings.reduce(0) { $0 + $1.specification.recipe.epochs },
      work: runs.reduce(0) { $0 + estimates.order($1) })
    defer { progress.finish() }
    let stopped = Atomic(false), isCancelled = Atomic(false), failure = Mutex<(any Error)?>(nil)
    DispatchQueue.concurrentPerform(iterations: max(1, min(runner.threads, runs.count))) { _ in
      do {
        while !stopped.load(ordering: .relaxed) {
          try Cancellation.check()
          guard let run = try queue.next(), let training = SweepWork.Training(run) else { return }
          try train(training, queue, progress, estimates.order(run)) {
            try Cancellation.check()
            if stopped.load(ordering: .relaxed) { throw Cancellation.Requested() }
          }
        }
      } catch {
        stopped.store(true, ordering: .relaxed)
        if error is Cancellation.Requested {
          isCancelled.store(true, ordering: .relaxed)
        } else {
          failure.withLock { $0 = $0 ?? error }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    return isCancelled.load(ordering: .relaxed)
  }

  private func train(
    _ training: SweepWork.Training, _ queue: SweepQueue, _ progress: ProgressLine, _ value: Double,
    checkStop: () throws -> Void
  ) throws {
    let run = training.run, share = value / Double(max(training.specification.recipe.epochs, 1))
    do {
      let record = try work.train(training) {
        try checkStop()
        if !claims.isHeld(run.name) { throw Lost() }
      } onEpoch: { epoch in
        progress.advance(
          "\(training.choice.item), seed \(training.seed): epoch \(epoch.epoch)\(epoch.text)",
          work: share)
      }
      guard let record else {
        keeper.refuse(run.name)
        return queue.settle(run)
      }
      try keep(record, of: run, queue)
    } catch {
      queue.release(run)
      if !(error is Lost) { throw error }
    }
  }
}
