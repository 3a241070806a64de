/// The channels of a pixel in blocks, so that few pixels of many channels can be shared out to threads.
struct ChannelBlocks {
  private static let width = 128
  let channels: Int

  init(_ channels: Int) { self.channels = channels }

  /// Runs `body` for each block of each item: the item's index, the block's first channel, and its number of
  /// channels.
  ///
  /// - Parameter work: how often each value is used; for less than some thousand uses, waking a thread costs more
  /// than it saves.
  @inline(__always)
  func forEach(
    _ count: Int, work: Int, threads: Int, _ body: (_ index: Int, _ first: Int, _ count: Int) -> Void
  ) {
    let blocks = max(1, (channels + Self.width - 1) / Self.width)
    let grain = max(1, 16_384 / max(1, min(channels, Self.width) * work))
    parallel(count * blocks, threads: threads, grain: grain) { range in
      for unit in range {
        let (index, block) = unit.quotientAndRemainder(dividingBy: blocks)
        let first = block * Self.width
        body(index, first, min(Self.width, channels - first))
      }
    }
  }
}
