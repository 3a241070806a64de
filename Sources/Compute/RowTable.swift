/// The channels of a slot: `count` of them, multiplied by the panel's rows from `first` on.
struct SlotRun {
  var first: Int
  var count: Int
}

/// Pointers to what the pixels of one tile read and write: filled by an operator, used by the engine.
///
/// A slot is one tap that at least one pixel of the tile needs. Taps that only read padding may be left out if zeros
/// contribute nothing.
public struct RowTable {
  /// The pixels of the tile.
  public static var capacity: Int { tileRows }

  let rows: UnsafeMutablePointer<UnsafePointer<Float>>
  let runs: UnsafeMutablePointer<SlotRun>
  let outputs: UnsafeMutablePointer<UnsafeMutablePointer<Float>>
  private let channels: Int

  /// Scratch memory of the tile, of the size that the operator needs, for computed rows.
  public let scratch: UnsafeMutablePointer<Float>

  /// Room for tables of `tiles` tiles with at most `slots` slots each, during `body`.
  ///
  /// - Parameter channels: the channels of a tap.
  static func withTables(
    tiles: Int, slots: Int, channels: Int, scratchPerTile: Int = 0, _ body: ([RowTable]) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: tiles * slots * largestTileRows) {
      rows in
      withUnsafeTemporaryAllocation(of: SlotRun.self, capacity: tiles * slots) { runs in
        withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>.self, capacity: tiles * tileRows) {
          outputs in
          guard let rows = rows.baseAddress, let runs = runs.baseAddress, let outputs = outputs.baseAddress
          else {
            return
          }
          withScratch(tiles * scratchPerTile) { scratch in
            body(
              (0..<tiles).map {
                RowTable(
                  rows: rows + $0 * slots * largestTileRows, runs: runs + $0 * slots,
                  outputs: outputs + $0 * tileRows, channels: channels,
                  scratch: scratch + $0 * scratchPerTile)
              })
          }
        }
      }
    }
  }

  /// Sets which tap a slot is.
  @inline(__always)
  public func setTap(slot: Int, _ tap: Int) { runs[slot] = SlotRun(first: tap &* channels, count: channels) }

  /// Sets which of the weights' channels a slot has, if it does not have all channels of a tap.
  @inline(__always)
  public func setChannels(slot: Int, first: Int, count: Int) {
    runs[slot] = SlotRun(first: first, count: count)
  }

  /// The pointers of a slot, one for each pixel: where that pixel reads this tap's channels (of all groups).
  public func slot(_ slot: Int) -> UnsafeMutablePointer<UnsafePointer<Float>> {
    rows + slot &* largestTileRows
  }

  /// For each pixel, where its outputs (of all groups) are written.
  public var outputRows: UnsafeMutablePointer<UnsafeMutablePointer<Float>> { outputs }
}
