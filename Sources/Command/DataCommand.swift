import ArgumentParser
import Experiments
import Foundation
import Learning
import Tensors

/// `experiment data`: what a data set is, and a picture of examples.
struct DataCommand: PrintsTables {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Describe a data set (sizes, classes, splits, chance) and draw examples.",
    discussion: """
      Example: swift run experiment data pathfinder:dashes=5 --picture pathfinder.png

      The picture has a column of training examples for each class, in order.
      """)

  @Argument(help: .data)
  var data: String
  @Option(help: ArgumentHelp("The file for a picture of examples, a PNG file.", valueName: "file.png"))
  var picture: String?
  @Option(help: ArgumentHelp("Examples of each class in the picture.", valueName: "n"))
  var rows = 4
  @Option(help: ArgumentHelp("Magnification of the images in the picture.", valueName: "n"))
  var scale = 2
  @OptionGroup
  var printing: PrintOptions

  func validate() throws {
    try check(rows, "--rows", 1...64)
    try check(scale, "--scale", 1...16)
  }

  func run() throws {
    if let picture { try AtomicFile.checkFolder(of: picture) }
    let data = try loadData(data)
    let facts = DataSource.facts(of: data.name).map { ["", $0.text] } ?? []
    printing.show(([data.summary] + facts).joined(separator: "\n"), ["splits": Self.splits(data)])
    guard let picture else { return }
    let sheet = ContactSheet(data.train, classes: data.classes, rows: rows, scale: scale)
    try AtomicFile.write(
      PNGFile.encode(width: sheet.width, height: sheet.height, grey: sheet.grey), to: picture)
    printing.say("\nPicture: \(picture)")
  }

  /// A row for each split.
  private static func splits(_ data: Dataset) -> CSVTable {
    typealias Column = Experiments.Column<(name: String, examples: Examples)>
    let splits = Dataset.Split.allCases.compactMap { split in
      data[split].map { (name: split.rawValue, examples: $0) }
    }
    return CSVTable(
      splits,
      [
        Column("data") { _ in data.name }, Column("split") { $0.name },
        Column("images") { $0.examples.count },
        Column("channels") { $0.examples.images.shape[3] }, Column("height") { $0.examples.images.shape[1] },
        Column("width") { $0.examples.images.shape[2] },
        Column("classes") { _ in data.isRegression ? nil : data.classes },
        Column("values") { _ in data.isRegression ? data.classes : nil },
        Column("chance_top1") { _ in data.chance.map { Cell.fixed($0, decimals: 1) } },
      ])
  }
}
