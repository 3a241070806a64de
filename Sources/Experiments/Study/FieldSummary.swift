import Foundation
import Learning
import Tensors

/// The sizes of a receptive field, for each of ``shares``.
public struct FieldSummary: Hashable, Sendable, Codable {
  /// The shares of all contributions whose areas are given, in percent.
  public static let shares = [20, 30, 50, 99]

  /// Rows and columns of the input.
  public let height, width: Int
  /// The smallest numbers of pixels that have the shares together.
  public let pixels: [Int]
  /// The sides of the smallest squares about the centre that have them, in pixels.
  public let extents: [Int]

  /// The sizes of a field to which something contributes; nil of any other.
  public init?(_ field: ReceptiveField) {
    let shares = Self.shares.map { Double($0) / 100 }
    height = field.height
    width = field.width
    pixels = shares.compactMap { field.pixels(holding: $0) }
    extents = shares.compactMap { field.extent(holding: $0) }
    guard pixels.count == shares.count, extents.count == shares.count else { return nil }
  }
}

extension CSVTable {
  /// field.csv: areas in pixels, the sides of squares of the same area, and of the smallest squares about the centre.
  ///
  /// - Parameters:
  ///   - fields: of each kernel the sizes, or why there are none.
  ///   - shared: what all rows have in common, as cells.
  public init(
    fields: [(kernel: String, summary: FieldSummary?, refusal: String?)],
    _ shared: [(column: String, cell: String)]
  ) {
    self.init(
      columns: ["kernel"] + shared.map(\.column) + ["height", "width"]
        + FieldSummary.shares.flatMap { ["pixels_\($0)", "side_\($0)", "extent_\($0)"] }
        + ["status", "reason"])
    for row in fields {
      var cells = Dictionary(shared.map { ($0.column, $0.cell) }, uniquingKeysWith: { $1 })
      cells["kernel"] = row.kernel
      cells["status"] = row.summary == nil ? "refused" : "ok"
      cells["reason"] = row.refusal ?? ""
      if let field = row.summary {
        cells["height"] = "\(field.height)"
        cells["width"] = "\(field.width)"
        for (share, (pixels, extent)) in zip(FieldSummary.shares, zip(field.pixels, field.extents)) {
          cells["pixels_\(share)"] = "\(pixels)"
          cells["side_\(share)"] = Cell.fixed(Double(pixels).squareRoot(), decimals: 2)
          cells["extent_\(share)"] = "\(extent)"
        }
      }
      append(cells)
    }
  }
}
