/// Where the pixels of one tile read and write: filled by an operator, consumed by the engine.
///
/// A slot is one tap that at least one pixel of the tile needs. Taps that only read padding may be left out
/// where zeros contribute nothing.
public struct RowTable {
  /// The pixels of the tile.
  public static var capacity: Int { tileRows }

  let rows: UnsafeMutablePointer<UnsafePointer<Float>>
  let taps: UnsafeMutablePointer<Int>
  let outputs: UnsafeMutablePointer<UnsafeMutablePointer<Float>>

  /// Memory that belongs to the tile, for rows that exist nowhere else; as large as the operator asked for.
  public let scratch: UnsafeMutablePointer<Float>

  /// Room for tables of `tiles` tiles with at most `slots` slots each, during `body`.
  static func withTables(tiles: Int, slots: Int, scratchPerTile: Int = 0, _ body: ([RowTable]) -> Void) {
    withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: tiles * slots * tileRows) { rows in
      withUnsafeTemporaryAllocation(of: Int.self, capacity: tiles * slots) { taps in
        withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<Float>.self, capacity: tiles * tileRows) {
          outputs in
          guard let rows = rows.baseAddress, let taps = taps.baseAddress, let outputs = outputs.baseAddress
          else {
            return
          }
          withScratch(tiles * scratchPerTile) { scratch in
            body(
              (0..<tiles).map {
                RowTable(
                  rows: rows + $0 * slots * tileRows, taps: taps + $0 * slots,
                  outputs: outputs + $0 * tileRows,
                  scratch: scratch + $0 * scratchPerTile)
              })
          }
        }
      }
    }
  }

  /// Sets which tap a slot is.
  public func setTap(slot: Int, _ tap: Int) { taps[slot] = tap }

  /// The pointers of a slot, one for each pixel: where that pixel reads this tap's channels (of all groups).
  public func slot(_ slot: Int) -> UnsafeMutablePointer<UnsafePointer<Float>> { rows + slot &* tileRows }

  /// For each pixel, where its outputs (of all groups) are written.
  public var outputRows: UnsafeMutablePointer<UnsafeMutablePointer<Float>> { outputs }
}
