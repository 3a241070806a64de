/// Copies runs of floats, such as some channels of each pixel, each to a place of its own.
///
/// - Parameters:
///   - count: how many runs.
///   - length: the floats of each.
///   - place: where run `index` starts in x and in y.
public func copyRuns(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int, length: Int, threads: Int,
  _ place: (_ index: Int) -> (from: Int, to: Int)
) {
  parallel(count, threads: threads, grain: max(1, 16_384 / max(1, length))) { range in
    for index in range {
      let (from, to) = place(index)
      (y + to).update(from: x + from, count: length)
    }
  }
}
