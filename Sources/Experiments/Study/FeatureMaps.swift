import Foundation
import Layers
import Learning
import Tensors

/// A network's view of one image, as pictures: the filters of its first convolution, and its layers' feature maps.
package struct FeatureMaps {
  /// A picture of many maps, all of them on one scale: the least value is black, the largest white.
  package struct Sheet {
    /// The layer's path, and whether its filters are shown or what it writes.
    package let layer: String, isFilters: Bool
    /// How many maps there are, and how many of them are shown; their extents.
    package let maps: Int, shown: Int, height: Int, width: Int
    /// The values of black and white.
    package let low: Float, high: Float
    /// A grey PNG file.
    let png: Data

    /// The file's name.
    var file: String { FieldStudy.fileName([isFilters ? "filters" : "maps", layer]) + ".png" }
  }

  /// The pictures: the image, the filters, the layers.
  package let sheets: [Sheet]

  /// The most maps of a layer that are shown.
  private static let most = 64

  /// Looks at a network in inference.
  ///
  /// - Parameters:
  ///   - image: one image, NHWC.
  ///   - names: the layers' paths; nil for the last layer of each size of feature maps.
  /// - Throws: a ``WorkbenchError`` if there is no such layer.
  package init(of network: any Layer, _ image: Tensor, layers names: [String]? = nil, threads: Int) throws {
    var context = Context(training: false, threads: threads), outputs: [(name: String, output: Tensor)] = []
    context.observer = Observer { outputs.append(($0.name, $0.output)) }
    _ = network.forward(image, context)
    let drawn = outputs.filter { $0.output.shape.count == 4 && $0.output.shape[1] * $0.output.shape[2] > 1 }
    let chosen: [(name: String, output: Tensor)]
    if let names {
      chosen = try names.map { name in
        guard let layer = drawn.last(where: { $0.name == name }) else {
          throw WorkbenchError(
            "There is no layer ‘\(name)’ with feature maps; \(suggestion(for: name, among: drawn.map(\.name)))"
          )
        }
        return layer
      }
    } else {
      var last: [[Int]: Int] = [:]
      for (index, layer) in drawn.enumerated() { last[Array(layer.output.shape[1...2])] = index }
      chosen = last.values.sorted().map { drawn[$0] }
    }
    let first = network.parameters.first { $0.parameter.layout == .convolution }
    let filters = try first.map { parameter -> Sheet in
      let weights = parameter.parameter.value.toFileOrder(parameter.parameter.layout)
      return try Sheet(
        parameter.name, isFilters: true, Self.maps(weights, count: weights.shape[0]),
        height: weights.shape[2], width: weights.shape[3])
    }
    sheets =
      try [Self.sheet("image", image)] + [filters].compactMap { $0 }
      + chosen.map { try Self.sheet($0.name, $0.output) }
  }

  /// The channels of one image.
  private static func sheet(_ name: String, _ features: Tensor) throws -> Sheet {
    let maps = features.toFileOrder(.features), shape = maps.shape
    return try Sheet(
      name, isFilters: false, Self.maps(maps, count: shape[1]), height: shape[2], width: shape[3])
  }

  /// An array as so many maps; what there is of each output's inputs is averaged.
  private static func maps(_ tensor: Tensor, count: Int) -> [[Float]] {
    let pixels = tensor.shape[2] * tensor.shape[3], inputs = tensor.count / max(count * pixels, 1)
    let values = tensor.values
    return (0..<min(count, most)).map { map in
      (0..<pixels).map { pixel in
        (0..<inputs).reduce(Float(0)) { $0 + values[(map * inputs + $1) * pixels + pixel] } / Float(inputs)
      }
    } + Array(repeating: [], count: max(0, count - most))
  }

  /// Writes the pictures into a folder, and features.csv beside it, which says what they are.
  package func write(to folder: String, _ shared: [(column: String, cell: String)]) throws {
    let place = "\(folder)/features"
    do {
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    } catch {
      throw WorkbenchError("The folder \(place) cannot be made; choose another one with --output.")
    }
    for sheet in sheets { try AtomicFile.write(sheet.png, to: "\(place)/\(sheet.file)") }
    try table(shared).write(to: "\(folder)/features.csv")
  }

  /// A row for each picture.
  package func table(_ shared: [(column: String, cell: String)]) -> CSVTable {
    typealias Column = Experiments.Column<Sheet>
    return CSVTable(
      sheets,
      Column.shared(shared) + [
        Column("layer") { $0.layer }, Column("shows") { $0.isFilters ? "filters" : "maps" },
        Column("maps") { $0.maps }, Column("shown") { $0.shown }, Column("h") { $0.height },
        Column("w") { $0.width }, Column("black") { Cell.number(Double($0.low)) },
        Column("white") { Cell.number(Double($0.high)) }, Column("file") { $0.file },
      ])
  }
}

extension FeatureMaps.Sheet {
  /// A picture of maps in rows, with a gap between them; those that are empty are not shown.
  fileprivate init(
    _ layer: String, isFilters: Bool, _ maps: [[Float]], height: Int, width: Int
  ) throws {
    let drawn = maps.filter { !$0.isEmpty }, finite = drawn.joined().filter(\.isFinite)
    let low = finite.min() ?? 0, high = finite.max() ?? 0
    let range = max(Double(high) - Double(low), .leastNormalMagnitude)
    let scale = max(1, 48 / max(height, width)), gap = 2
    let columns = min(drawn.count, drawn.count > 16 ? 16 : 8),
      rows = (drawn.count + columns - 1) / max(columns, 1)
    let cellWidth = width * scale + gap, cellHeight = height * scale + gap
    let sheetWidth = columns * cellWidth + gap, sheetHeight = rows * cellHeight + gap
    var grey = [UInt8](repeating: 255, count: sheetWidth * sheetHeight)
    for (index, map) in drawn.enumerated() {
      let left = index % columns * cellWidth + gap, top = index / columns * cellHeight + gap
      for y in 0..<height * scale {
        for x in 0..<width * scale {
          let value = map[y / scale * width + x / scale], share = (Double(value) - Double(low)) / range
          grey[(top + y) * sheetWidth + left + x] = value.isFinite ? UInt8(share * 255) : 128
        }
      }
    }
    self.init(
      layer: layer, isFilters: isFilters, maps: maps.count, shown: drawn.count, height: height, width: width,
      low: low, high: high, png: try PNGFile.encode(width: sheetWidth, height: sheetHeight, grey: grey))
  }
}

extension CSVTable {
  /// features.csv for people.
  package var featuresText: String {
    let columns = ["layer", "shows", "maps", "h", "w", "black", "white", "file"]
    return TextTable(rows, columns.map { name in Column(name) { $0[name] ?? "" } }, left: [0, 1, 7]).fitted
  }
}
