import Foundation
import Kernels
import Layers
import Learning
import Tensors

/// Where a layer with learned positions reads for one image: some pixels of its output, all taps of each.
package struct LayerOffsets: Codable, Sendable {
  /// One tap of one output pixel. Coordinates are in pixels, 0 is the centre of the first.
  package struct Row: Codable, Sendable {
    /// The output pixel, the offset group of channels, and the tap, row by row of the window.
    package var row, column, group, tap: Int
    /// Its place on the regular grid, in the layer's input.
    package var gridY, gridX: Float
    /// Where it reads, in the layer's input.
    package var y, x: Float
    /// What it is multiplied by, where there are masks.
    package var mask: Float?
  }

  /// The layer's path.
  package let layer: String
  /// Pixels of the image from one pixel of the layer's input to the next, vertically and horizontally: the strides in
  /// front of it, as the power of two that is nearest to the ratio of their extents.
  package let strideY, strideX: Int
  /// The taps of each pixel.
  package let rows: [Row]

  /// Looks at one layer of a network in inference.
  ///
  /// - Parameters:
  ///   - image: one image, NHWC.
  ///   - name: the layer's path; without it, the last with such positions whose output still has 4×4 pixels.
  /// - Throws: a ``WorkbenchError`` if there is no such layer.
  package init(of network: any Layer, _ image: Tensor, layer name: String? = nil, threads: Int) throws {
    let context = Context(training: false, threads: threads)
    var found: [(name: String, positions: SampledPositions, input: FeatureShape)] = []
    var watching = context
    watching.observer = Observer { run in
      let layer = run.layer as? any SamplingLayer
      guard let positions = layer?.learnedPositions(for: run.input, context) else { return }
      found.append((run.name, positions, FeatureShape(run.input)))
    }
    _ = network.forward(image, watching)
    guard let last = found.last else {
      throw WorkbenchError(
        "No layer here reads at learned positions; choose a kernel such as deformable, deformable-v2 or active."
      )
    }
    let chosen: (name: String, positions: SampledPositions, input: FeatureShape)
    if let name {
      guard let layer = found.first(where: { $0.name == name }) else {
        throw WorkbenchError(
          "There is no layer ‘\(name)’ with learned positions; choose from \(found.map(\.name).joined(separator: ", "))."
        )
      }
      chosen = layer
    } else {
      chosen =
        found.last { $0.positions.offset.shape[1] >= 4 && $0.positions.offset.shape[2] >= 4 } ?? last
    }
    let (positions, shape) = (chosen.positions, chosen.input)
    layer = chosen.name
    func stride(_ image: Int, _ map: Int) -> Int {
      1 << max(0, min(30, Int(log2(Double(image) / Double(max(map, 1))).rounded())))
    }
    strideY = stride(image.shape[1], shape.height)
    strideX = stride(image.shape[2], shape.width)
    // The centre, and halfway from it to two corners.
    let height = positions.offset.shape[1], width = positions.offset.shape[2]
    var pixels: [(row: Int, column: Int)] = []
    for (row, column) in [(height / 2, width / 2), (height / 4, width / 4), (3 * height / 4, 3 * width / 4)]
    where !pixels.contains(where: { $0 == (row, column) }) { pixels.append((row, column)) }
    var rows: [Row] = []
    for (row, column) in pixels {
      for group in 0..<positions.offsetGroups {
        for tap in 0..<positions.geometry.taps {
          let sample = positions.sample(row: row, column: column, group: group, tap: tap)
          rows.append(
            Row(
              row: row, column: column, group: group, tap: tap, gridY: sample.gridY, gridX: sample.gridX,
              y: sample.y, x: sample.x, mask: sample.mask))
        }
      }
    }
    self.rows = rows
  }
}

extension Layer {
  /// Whether this or a layer inside reads at learned positions.
  var hasLearnedPositions: Bool {
    (self as? any SamplingLayer)?.hasLearnedPositions ?? false
      || children.contains { $0.layer.hasLearnedPositions }
  }
}

extension CSVTable {
  /// offsets.csv: a row for each tap, in coordinates of the layer's input and of the image.
  ///
  /// - Parameters:
  ///   - offsets: of each kernel.
  ///   - shared: what all rows have in common: `model`, `replace`, `data`, `image`.
  package init(
    offsets: [(kernel: String, offsets: LayerOffsets)], _ shared: [(column: String, cell: String)]
  ) {
    typealias Tap = (kernel: String, offsets: LayerOffsets, row: LayerOffsets.Row)
    typealias Column = Experiments.Column<Tap>
    func number(_ name: String, _ value: @escaping (Tap) -> Double?) -> Column {
      Column(name) { value($0).map { Cell.number($0, digits: 6) } }
    }
    let taps = offsets.flatMap { kernel, offsets in offsets.rows.map { (kernel, offsets, $0) } }
    let places = [
      Column("kernel") { $0.kernel }, Column("layer") { $0.offsets.layer }, Column("row") { $0.row.row },
      Column("column") { $0.row.column }, Column("offset_group") { $0.row.group },
      Column("tap") { $0.row.tap },
    ]
    let positions = [
      number("grid_y") { Double($0.row.gridY) }, number("grid_x") { Double($0.row.gridX) },
      number("y") { Double($0.row.y) }, number("x") { Double($0.row.x) },
      number("mask") { $0.row.mask.map(Double.init) },
      number("image_grid_y") { Double($0.offsets.strideY) * Double($0.row.gridY) },
      number("image_grid_x") { Double($0.offsets.strideX) * Double($0.row.gridX) },
      number("image_y") { Double($0.offsets.strideY) * Double($0.row.y) },
      number("image_x") { Double($0.offsets.strideX) * Double($0.row.x) },
    ]
    self.init(taps, Column.shared(shared) + places + positions)
  }

  /// offsets-image.csv: an image in grey, the mean of its channels, from 0 to 1.
  ///
  /// - Parameters:
  ///   - image: one image, NHWC.
  ///   - data: what it is from, and `number` its place there.
  package init(image: Tensor, data: String, number: Int) {
    let shape = FeatureShape(image), values = image.values
    let means = (0..<shape.height * shape.width).map { pixel in
      (0..<shape.channels).reduce(0) { $0 + Double(values[pixel * shape.channels + $1]) }
    }
    let low = means.min() ?? 0, range = (means.max() ?? 0) - low
    typealias Column = Experiments.Column<(offset: Int, element: Double)>
    self.init(
      Array(means.enumerated()),
      Column.shared([("data", data), ("image", "\(number)")]) + [
        Column("row") { $0.offset / shape.width }, Column("column") { $0.offset % shape.width },
        Column("value") { Cell.fixed(range > 0 ? ($0.element - low) / range : 0, decimals: 4) },
      ])
  }

  /// offsets.csv for people.
  package var offsetsText: String {
    let columns = [
      "row", "column", "offset_group", "tap", "grid_y", "grid_x", "y", "x", "mask", "image_y", "image_x",
    ]
    return TextTable(rows, columns.map { name in Column(name) { $0[name] ?? "" } }).fitted
  }
}
