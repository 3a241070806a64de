import Tensors

/// Examples of a data set in one picture: a column for each class, or for a regression any.
package struct ContactSheet {
  /// Pixels.
  package let width: Int, height: Int
  /// Grey values, row by row.
  package private(set) var grey: [UInt8]

  /// The first examples of each class; the channels of an image are averaged.
  ///
  /// - Parameters:
  ///   - rows: how many examples of each class.
  ///   - scale: the magnification of an image.
  package init(_ examples: Examples, classes: Int, rows: Int = 4, scale: Int = 2) {
    let shape = FeatureShape(examples.images)
    let columns = examples.isRegression ? 8 : min(classes, 16)
    var found = Array(repeating: [Int](), count: columns)
    if examples.isRegression {
      for index in 0..<min(examples.count, rows * columns) { found[index % columns].append(index) }
    } else {
      for (index, label) in examples.labels.enumerated() where label < columns && found[label].count < rows {
        found[label].append(index)
      }
    }
    let gap = 2, cellWidth = shape.width * scale + gap, cellHeight = shape.height * scale + gap
    width = columns * cellWidth + gap
    height = rows * cellHeight + gap
    grey = Array(repeating: 255, count: width * height)
    for (column, members) in found.enumerated() {
      for (row, index) in members.enumerated() {
        draw(examples, index, shape, x: column * cellWidth + gap, y: row * cellHeight + gap, scale)
      }
    }
  }

  /// The image's own range of values is drawn from black to white, in 16 steps, which makes small files.
  private mutating func draw(
    _ examples: Examples, _ index: Int, _ shape: FeatureShape, x: Int, y: Int, _ scale: Int
  ) {
    let pixels = shape.height * shape.width
    let values = examples.images.withPointer { images in
      (0..<pixels).map { pixel in
        (0..<shape.channels).reduce(Float(0)) {
          $0 + images[(index * pixels + pixel) * shape.channels + $1]
        }
      }
    }
    let low = values.min() ?? 0, range = max((values.max() ?? 1) - low, .leastNormalMagnitude)
    for row in 0..<shape.height * scale {
      for column in 0..<shape.width * scale {
        let value = (values[row / scale * shape.width + column / scale] - low) / range
        grey[(y + row) * width + x + column] = UInt8(value * 15) * 17
      }
    }
  }
}
