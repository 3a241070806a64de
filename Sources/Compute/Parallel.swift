import Dispatch
import Tensors

/// Runs `body` over `0 ..< count`, cut into contiguous ranges, on at most `threads` threads.
///
/// Ranges start at multiples of `grain`. The caller gives each output to one index, so that the result
/// depends neither on `threads` nor on who takes which range.
///
/// - Parameter least: the fewest grains that are worth a range of their own.
@inline(__always)
public func parallel(
  _ count: Int, threads: Int, grain: Int = 1, least: Int = 1, _ body: (Range<Int>) -> Void
) {
  let cut = LoopCut(count, threads: threads, grain: grain, least: least)
  if cut.threads <= 1 {
    if count > 0 { body(0..<count) }
    return
  }
  withoutActuallyEscaping(body) { body in
    // Every range writes to places that no other one touches.
    nonisolated(unsafe) let body = body
    let run: @Sendable (Int) -> Void = { body(cut.range($0)) }
    if !WorkerPool.shared.run(cut.ranges, threads: cut.threads, run) {
      DispatchQueue.concurrentPerform(iterations: cut.ranges, execute: run)
    }
  }
}

/// How a loop is cut into ranges.
///
/// Each thread has an equal share. A long share is cut into a half, a quarter and two eighths: a thread that finishes
/// early, because another program slows the other core down, takes a range from what is left of the other's share.
struct LoopCut: Sendable {
  private let count: Int, grain: Int, grains: Int
  /// The threads that have a share.
  let threads: Int
  private let isLong: Bool

  init(_ count: Int, threads: Int, grain: Int, least: Int) {
    self.count = count
    self.grain = grain
    grains = (count + grain - 1) / grain
    self.threads = min(threads, grains)
    isLong = self.threads > 1 && grains / self.threads >= 8 * least
  }

  /// The number of ranges.
  var ranges: Int { isLong ? 4 * threads : threads }

  /// A range: first the first one of each share, then the second ones.
  func range(_ index: Int) -> Range<Int> {
    let (part, thread) = index.quotientAndRemainder(dividingBy: threads)
    let first = grains * thread / threads, share = grains * (thread + 1) / threads - first
    // The ends of a share's parts, in eighths.
    func end(_ part: Int) -> Int { isLong ? share * (8 - 8 >> part) / 8 : share * part }
    return (first + end(part)) * grain..<min((first + end(part + 1)) * grain, count)
  }
}

/// Runs `body` with room for `count` floats, aligned to 64 bytes and taken from the pool of recycled blocks.
@inline(__always)
public func withScratch<Result>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
  var scratch = Tensor(uninitialized: [max(count, 1)])
  return scratch.withMutablePointer(body)
}
