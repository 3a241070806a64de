import Dispatch
import Tensors

/// Runs `body` over `0 ..< count`, cut into at most `threads` contiguous ranges of nearly equal size.
///
/// Ranges start at multiples of `grain`. The caller gives each output to one index, so that the result
/// does not depend on `threads`.
@inline(__always)
public func parallel(_ count: Int, threads: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
  let grains = (count + grain - 1) / grain
  let chunks = min(threads, grains)
  if chunks <= 1 {
    if count > 0 { body(0..<count) }
    return
  }
  withoutActuallyEscaping(body) { body in
    // Every chunk writes to places that no other chunk touches.
    nonisolated(unsafe) let body = body
    let run: @Sendable (Int) -> Void = { chunk in
      let first = grains * chunk / chunks * grain
      let last = min(grains * (chunk + 1) / chunks * grain, count)
      body(first..<last)
    }
    if !WorkerPool.shared.run(chunks, run) {
      DispatchQueue.concurrentPerform(iterations: chunks, execute: run)
    }
  }
}

/// Runs `body` with room for `count` floats, aligned to 64 bytes and taken from the pool of recycled blocks.
@inline(__always)
public func withScratch<Result>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
  var scratch = Tensor(uninitialized: [max(count, 1)])
  return scratch.withMutablePointer(body)
}
