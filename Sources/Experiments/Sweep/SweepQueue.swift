import Foundation
import Synchronization
import Tensors

/// A share of a sweep: which of so many processes this is. It says where to begin and which old records to look at. The
/// remaining runs go to the process that claims them first.
package struct Shard: Hashable, Sendable {
  /// Counted from 0.
  package let index: Int
  /// How many there are.
  package let count: Int

  /// Share `index` of `count`.
  package init(index: Int, of count: Int) {
    self.count = max(count, 1)
    self.index = index % self.count
  }

  /// Everything.
  package static let whole = Shard(index: 0, of: 1)

  /// Whether this share looks at a record, by its name.
  func reads(_ name: String) -> Bool {
    count == 1 || (UInt64(name.prefix(8), radix: 16) ?? 0) % UInt64(count) == UInt64(index)
  }
}

/// The remaining runs, in the given order, and which of them this process does: first its own share, every n-th run,
/// then what others have not begun. Two processes compete only when their shares are done, and each lists the folder
/// only then.
final class SweepQueue: Sendable {
  private struct State {
    /// The runs to try next.
    var pending: ArraySlice<SweepPlan.Run>
    /// The runs that need no more attention: done, refused or given up.
    var settled: Set<String> = []
    /// The runs that this process is doing.
    var mine: Set<String> = []
    /// Whether there was something since the folder was listed.
    var hasGained = true
    /// Whether runs that failed before are tried, too: they come last.
    var takesFailed = false
    var misses = 0
    var listed = ContinuousClock.now, listing = 0.0
    var failures: [RunFailures] = []
  }
  private let state: Mutex<State>
  private let runs: [SweepPlan.Run]
  private let folder: ResultFolder
  private let claims: Claims
  private let records: RecordKeeper
  /// What must have made a record of a run, where not any will do.
  private let build: String?
  private let forgives: Bool
  private let countsDeaths: Bool
  /// Of how many shares this is one.
  private let count: Int

  /// A queue.
  ///
  /// - Parameters:
  ///   - runs: what is to be done, the longest first.
  ///   - remade: the build of the program that must have made their records; nil for any.
  ///   - forgives: whether runs that were given up are tried again.
  ///   - countsDeaths: whether a process that ended without a word is a failed attempt of its run. It is where many
  ///     processes are started again by themselves; a process alone was most likely killed by its user.
  init(
    _ runs: [SweepPlan.Run], _ shard: Shard, _ folder: ResultFolder, _ claims: Claims,
    _ records: RecordKeeper, by build: String?, forgives: Bool = false, countsDeaths: Bool = true
  ) {
    self.runs = runs
    self.folder = folder
    self.claims = claims
    self.records = records
    self.build = build
    self.forgives = forgives
    self.countsDeaths = countsDeaths
    count = shard.count
    let own = stride(from: shard.index, to: runs.count, by: shard.count).map { runs[$0] }
    state = Mutex(State(pending: own[...]))
  }

  /// The next run, claimed; nil if there is none that could be claimed now.
  func next() throws -> SweepPlan.Run? {
    try state.withLock { state in
      while true {
        if state.pending.isEmpty || state.misses >= 20 && isListingDue(state) {
          let isNew = state.hasGained || !state.takesFailed
          guard isNew, list(&state) else {
            state.hasGained = true
            return nil
          }
        }
        guard let run = state.pending.popFirst() else { continue }
        guard !state.mine.contains(run.name), !state.settled.contains(run.name) else { continue }
        if records.isDone(run.name, by: build) {
          state.settled.insert(run.name)
        } else if case .mine(let dead) = try claims.take(run.name) {
          guard try mayBegin(run, after: dead, &state) else {
            claims.release(run.name)
            continue
          }
          state.mine.insert(run.name)
          state.hasGained = true
          state.misses = 0
          return run
        } else {
          state.misses += 1
        }
      }
    }
  }

  /// Whether a run that was just claimed is to be done.
  private func mayBegin(_ run: SweepPlan.Run, after dead: Worker?, _ state: inout State) throws -> Bool {
    // Another process may have finished it before the claim.
    if records.isDone(run.name, by: build) {
      state.settled.insert(run.name)
      return false
    }
    var failures = RunFailures.read(run.name, in: folder)
    if let dead, countsDeaths {
      failures = try RunFailures.add(nil, of: dead, to: run, in: folder, claims)
    }
    guard let failures else { return true }
    if failures.isGivenUp && !forgives {
      state.settled.insert(run.name)
      state.failures.append(failures)
      return false
    }
    return state.takesFailed || forgives
  }

  /// A listing may take a hundredth of the time.
  private func isListingDue(_ state: State) -> Bool {
    (ContinuousClock.now - state.listed).seconds > max(5, 100 * state.listing)
  }

  /// Looks at what there is, and puts what is left in order: what nobody has claimed first. False if nothing is.
  private func list(_ state: inout State) -> Bool {
    let start = ContinuousClock.now
    let isLate = state.pending.isEmpty
    state.hasGained = false
    state.takesFailed = state.takesFailed || isLate
    state.misses = 0
    if build == nil { state.settled.formUnion(records.names(in: folder)) }
    let claimed = claims.claimed()
    let failed = Set(RunFailures.all(in: folder).keys)
    let left = runs.filter { !state.settled.contains($0.name) && !state.mine.contains($0.name) }
    func rank(_ run: SweepPlan.Run) -> Int {
      failed.contains(run.name) ? 2 : claimed.contains(run.name) ? 1 : 0
    }
    // All who look now see the same: each begins elsewhere among the next ones.
    let free = left.filter { rank($0) == 0 }, block = 8 * count
    let mixed =
      count == 1
      ? free
      : stride(from: 0, to: free.count, by: block).flatMap {
        free[$0..<min($0 + block, free.count)].shuffled()
      }
    state.pending = (mixed + (1...2).flatMap { level in left.filter { rank($0) == level } })[...]
    state.listed = .now
    state.listing = (state.listed - start).seconds
    return !state.pending.isEmpty
  }

  /// Says that a run needs no more attention, and ends its claim.
  func settle(_ run: SweepPlan.Run) {
    state.withLock {
      $0.settled.insert(run.name)
      $0.mine.remove(run.name)
    }
    claims.release(run.name)
  }

  /// Says that a run was not finished, and ends its claim: it may be tried again, by whomever.
  func release(_ run: SweepPlan.Run) {
    state.withLock { _ = $0.mine.remove(run.name) }
    claims.release(run.name)
  }

  /// Says that a run failed.
  func fail(_ run: SweepPlan.Run, _ error: any Error) throws {
    guard claims.isHeld(run.name) else { return release(run) }
    let failures = try RunFailures.add("\(error)", of: claims.worker, to: run, in: folder, claims)
    if failures.isGivenUp {
      state.withLock { $0.failures.append(failures) }
      settle(run)
    } else {
      release(run)
    }
  }

  /// The runs that were given up.
  var failures: [RunFailures] { state.withLock { $0.failures } }

  /// How many seconds to wait before the folder is looked at again: a listing may take a hundredth of the time.
  var pause: Double { state.withLock { 100 * $0.listing } }

  /// How many runs are neither settled nor this process's: others do them.
  var elsewhere: Int { state.withLock { runs.count - $0.settled.count - $0.mine.count } }
}
