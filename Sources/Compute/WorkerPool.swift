import CHints
import Foundation
import Synchronization

/// Worker threads that spin for about a millisecond before they block: waking a sleeping one
/// can take longer than a layer.
final class WorkerPool: @unchecked Sendable {
  static let shared = WorkerPool()

  /// Held while a loop runs. A caller that finds the pool busy runs its loop alone.
  private let isTaken = Atomic(false)
  /// The present loop: its number, its chunks and the next chunk, in one word, so that a late worker cannot take a
  /// chunk of a loop that it has not seen.
  private let ticket = Atomic<UInt64>(0)
  private let finished = Atomic(0)
  /// How many workers may still join the present loop.
  private let places = Atomic(0)
  private let sleeping = Atomic(0)
  private let bell = DispatchSemaphore(value: 0)
  /// Written before the ticket is issued, read by threads that hold a part of it.
  private var body: (Int) -> Void = { _ in }
  private let workers = Atomic(0)

  private static let cores = ProcessInfo.processInfo.activeProcessorCount

  /// Runs `body` for 0 ..< chunks on the caller and on `threads` − 1 workers; false if another loop is running.
  func run(_ chunks: Int, threads: Int, _ body: (Int) -> Void) -> Bool {
    guard chunks < 1 << 16, !isTaken.exchange(true, ordering: .acquiring) else { return false }
    withoutActuallyEscaping(body) { body in
      self.body = body
      while workers.load(ordering: .relaxed) < threads - 1 { startWorker() }
      finished.store(0, ordering: .relaxed)
      places.store(threads - 1, ordering: .relaxed)
      let number = (ticket.load(ordering: .relaxed) >> 32) &+ 1
      let issued = number << 32 | UInt64(chunks) << 16
      ticket.store(issued, ordering: .sequentiallyConsistent)
      for _ in 0..<min(sleeping.load(ordering: .sequentiallyConsistent), threads - 1) { bell.signal() }
      work(number)
      var waited = 0
      while finished.load(ordering: .acquiring) < chunks {
        waited += 1
        // With more threads than cores, the awaited thread may need this core.
        if waited > 20_000 || threads > Self.cores { sched_yield() } else { workbench_pause() }
      }
      self.body = { _ in }
    }
    isTaken.store(false, ordering: .releasing)
    return true
  }

  /// Takes chunks of a loop until there are none left.
  private func work(_ number: UInt64) {
    var seen = ticket.load(ordering: .acquiring)
    while seen >> 32 == number, seen & 0xffff < seen >> 16 & 0xffff {
      let (taken, current) = ticket.compareExchange(
        expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
      if taken {
        body(Int(seen & 0xffff))
        finished.add(1, ordering: .releasing)
        seen = ticket.load(ordering: .acquiring)
      } else {
        seen = current
      }
    }
  }

  private func startWorker() {
    workers.add(1, ordering: .relaxed)
    let last = ticket.load(ordering: .relaxed) >> 32
    let thread = Thread { [self] in
      var done = last
      while true {
        done = next(after: done)
        guard places.subtract(1, ordering: .relaxed).newValue >= 0 else { continue }
        // A late worker may have taken a place of a newer loop: it then works on that.
        done = ticket.load(ordering: .relaxed) >> 32
        work(done)
      }
    }
    thread.stackSize = 8 << 20
    thread.name = "workbench worker"
    thread.start()
  }

  /// Waits for a loop that is newer.
  private func next(after done: UInt64) -> UInt64 {
    while true {
      for _ in 0..<(workers.load(ordering: .relaxed) < Self.cores ? 30_000 : 100) {
        let number = ticket.load(ordering: .relaxed) >> 32
        if number != done { return number }
        workbench_pause()
      }
      sleeping.add(1, ordering: .sequentiallyConsistent)
      // Check again before blocking; otherwise a loop issued meanwhile would be missed.
      if ticket.load(ordering: .sequentiallyConsistent) >> 32 == done { bell.wait() }
      sleeping.subtract(1, ordering: .sequentiallyConsistent)
    }
  }
}
