import Foundation
import Learning
import Tensors

/// The sizes of a receptive field, for each of ``shares``.
package struct FieldSummary: Hashable, Sendable, Codable {
  /// The shares of all contributions whose areas are given, in percent.
  package static let shares = [20, 30, 50, 99]

  /// Rows and columns of the input.
  package let height, width: Int
  /// The smallest numbers of pixels that have the shares together.
  package let pixels: [Int]
  /// The sides of the smallest squares about the centre that have them, in pixels.
  package let extents: [Int]
  /// The standard errors of the pixels' shares, summed; nil of a single draw, and in records of earlier versions.
  package let standardError: Double?

  /// The sizes of a field to which something contributes; nil of any other.
  package init?(_ field: ReceptiveField) {
    let shares = Self.shares.map { Double($0) / 100 }
    height = field.height
    width = field.width
    pixels = shares.compactMap { field.pixels(holding: $0) }
    extents = shares.compactMap { field.extent(holding: $0) }
    standardError = field.standardError
    guard pixels.count == shares.count, extents.count == shares.count else { return nil }
  }
}

extension FieldSummary {
  /// The sizes for one of ``shares``, by its place there; nil if a record lacks them.
  func sizes(_ place: Int) -> (pixels: Int, side: Double, extent: Int)? {
    guard pixels.indices.contains(place), extents.indices.contains(place) else { return nil }
    return (pixels[place], Double(pixels[place]).squareRoot(), extents[place])
  }
}

extension CSVTable {
  /// field.csv: areas in pixels, the sides of squares of the same area, and of the smallest squares about the centre.
  ///
  /// - Parameter shared: what all rows have in common, as cells.
  package init(fields: [FieldStudy.Row], _ shared: [(column: String, cell: String)]) {
    typealias Column = Experiments.Column<FieldStudy.Row>
    let sizes = FieldSummary.shares.enumerated().flatMap { place, share in
      [
        Column("pixels_\(share)") { $0.summary?.sizes(place)?.pixels },
        Column("side_\(share)") { Cell.fixed($0.summary?.sizes(place)?.side, decimals: 2) },
        Column("extent_\(share)") { $0.summary?.sizes(place)?.extent },
      ]
    }
    self.init(
      fields,
      [Column("kernel") { $0.kernel }] + Column.shared(shared) + [
        Column("height") { $0.summary?.height }, Column("width") { $0.summary?.width },
      ] + sizes + [
        Column("standard_error") { Cell.fixed($0.summary?.standardError, decimals: 4) },
        Column("status") { $0.summary == nil ? "refused" : "ok" }, Column("reason") { $0.refusal },
      ])
  }
}
