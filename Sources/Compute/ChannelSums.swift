import Tensors

/// Rows summed in single precision before they are added up in double precision.
private let reductionBlock = 256

/// Sums two functions over all rows, for each channel.
///
/// Blocks of rows have a fixed size and are added in order: the result does not depend on `threads`.
///
/// - Parameter terms: for the offset of an element and a number of lanes, the two vectors to be added; lanes
///   beyond that number are ignored.
@inline(__always)
func channelSums(
  rows: Int, channels: Int, threads: Int,
  _ terms: (_ offset: Int, _ channel: Int, _ lanes: Int) -> (Vector, Vector)
) -> (first: [Double], second: [Double]) {
  let blocks = (rows + reductionBlock - 1) / reductionBlock
  var partial = Tensor(uninitialized: [max(blocks, 1), 2, channels])
  var first = Array(repeating: 0.0, count: channels), second = first
  partial.withMutablePointer { partial in
    parallel(blocks, threads: threads, grain: max(1, 65_536 / (reductionBlock * channels))) { range in
      for block in range {
        let sums = partial + block * 2 * channels
        let blockRows = block * reductionBlock..<min((block + 1) * reductionBlock, rows)
        for channel in stride(from: 0, to: channels, by: Vector.scalarCount) {
          let lanes = min(Vector.scalarCount, channels - channel)
          var a = Vector.zero, b = Vector.zero
          var offset = blockRows.lowerBound * channels + channel
          for _ in 0..<blockRows.count {
            let term = terms(offset, channel, lanes)
            a += term.0
            b += term.1
            offset = offset &+ channels
          }
          Tail.store(a, sums + channel, lanes)
          Tail.store(b, sums + channels + channel, lanes)
        }
      }
    }
    for block in 0..<blocks {
      let sums = partial + block * 2 * channels
      for channel in 0..<channels {
        first[channel] += Double(sums[channel])
        second[channel] += Double(sums[channels + channel])
      }
    }
  }
  return (first, second)
}

/// Sums over all rows for each channel: what a bias gradient is.
public func channelSum(_ x: UnsafePointer<Float>, rows: Int, channels: Int, threads: Int) -> [Double] {
  channelSums(rows: rows, channels: channels, threads: threads) { offset, _, lanes in
    (Tail.load(x + offset, lanes), .zero)
  }.first
}
