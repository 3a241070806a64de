/// How rows are cut into tiles of at most `tileRows`.
///
/// A short remainder is shared with the tile before it: 13 rows take less time as 8 and 5 than as 12 and 1.
struct RowTiles {
  let rows: Int

  /// The number of tiles.
  var count: Int { (rows + tileRows - 1) / tileRows }

  /// The rows of a tile.
  @inline(__always)
  func range(_ tile: Int) -> Range<Int> {
    let first = tile &* tileRows, rest = rows % tileRows
    if tileRows == 12, 1...4 ~= rest, tile >= count - 2, rows > tileRows {
      let middle = (count - 2) * tileRows + 8
      return tile == count - 1 ? middle..<rows : first..<middle
    }
    return first..<min(first &+ tileRows, rows)
  }
}
