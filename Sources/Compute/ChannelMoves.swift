/// Moves of single channels, for shifts.
package enum ChannelMoves {
  /// y[c] = x[offsets[c]]
  @inline(never)
  package static func gather(
    _ x: UnsafePointer<Float>, _ offsets: UnsafePointer<Int>, _ y: UnsafeMutablePointer<Float>, count: Int
  ) {
    for channel in 0..<count { y[channel] = x[offsets[channel]] }
  }

  /// y[offsets[c]] = x[c]
  @inline(never)
  package static func scatter(
    _ x: UnsafePointer<Float>, _ offsets: UnsafePointer<Int>, _ y: UnsafeMutablePointer<Float>, count: Int
  ) {
    for channel in 0..<count { y[offsets[channel]] = x[channel] }
  }
}
