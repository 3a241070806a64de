/// Finds, for each row and output, the first largest term x + w: the position of its x in the row.
///
/// - Parameters:
///   - samples: `[row][tap][channel of all groups]`.
///   - weights: HWIO: `[tap][channel of the group][output of all groups]`.
///   - terms: `[row][output]`, overwritten: tap · channels + channel. In a tie the smallest, as in the order of the sum.
///   - threads: how many threads share the rows; the result does not depend on it.
package func largestTerms(
  of samples: UnsafePointer<Float>, rows: Int, taps: Int, channels: Int, groups: Int,
  weights: UnsafePointer<Float>, outputs: Int, into terms: UnsafeMutablePointer<Int32>, threads: Int
) {
  let perGroup = channels / groups, outputsPerGroup = outputs / groups, lanes = Vector.scalarCount
  parallel(rows, threads: threads) { rows in
    for row in rows {
      let x = samples + row &* taps &* channels
      for group in 0..<groups {
        for first in stride(from: 0, to: outputsPerGroup, by: lanes) {
          let output = group &* outputsPerGroup &+ first
          let count = min(lanes, outputsPerGroup &- first)
          var best = Vector(repeating: -.infinity), position = Positions(repeating: 0)
          for tap in 0..<taps {
            for channel in 0..<perGroup {
              let place = tap &* channels &+ group &* perGroup &+ channel
              let w = Tail.load(weights + ((tap &* perGroup &+ channel) &* outputs &+ output), count)
              let term = Vector(repeating: x[place]) + w
              let isLarger = term .> best
              best.replace(with: term, where: isLarger)
              position.replace(with: Int32(truncatingIfNeeded: place), where: isLarger)
            }
          }
          for lane in 0..<count { terms[row &* outputs &+ output &+ lane] = position[lane] }
        }
      }
    }
  }
}

private typealias Positions = Vector.MaskStorage
