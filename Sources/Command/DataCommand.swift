import ArgumentParser
import Experiments
import Foundation
import Learning
import Tensors

/// `experiment data`: what a data set is, and a picture of examples.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Say what a data set is: extents, classes, splits, chance; and draw examples.",
    discussion: """
      Example: swift run experiment data pathfinder:dashes=5 --picture pathfinder.png

      A picture has a column for each class, in their order, and training examples below each other.
      """)

  @Argument(help: .data)
  var data: String
  @Option(help: ArgumentHelp("Where a picture of examples goes, a PNG file.", valueName: "file.png"))
  var picture: String?
  @Option(help: ArgumentHelp("Examples of each class in the picture.", valueName: "n"))
  var rows = 4
  @Option(help: ArgumentHelp("Pixels of the picture for one of an image, across and down.", valueName: "n"))
  var scale = 2

  func validate() throws {
    try check(rows, "--rows", 1...64)
    try check(scale, "--scale", 1...16)
  }

  func run() throws {
    if let picture { try AtomicFile.checkFolder(of: picture) }
    let data = try loadData(data)
    print(data.summary)
    if let facts = DataSource.facts(of: data.name) { print("\n" + facts.text) }
    guard let picture else { return }
    let sheet = ContactSheet(data.train, classes: data.classes, rows: rows, scale: scale)
    try AtomicFile.write(
      PNGFile.encode(width: sheet.width, height: sheet.height, grey: sheet.grey), to: picture)
    print("\nPicture: \(picture)")
  }
}
