import Tensors

/// The embedded digits as stamps for tasks, separated by form, and so almost always by writer: training has the forms
/// before image 1287, validation the one from there to 1415, and testing those from 1415 on (docs/data.md).
struct DigitForms {
  /// Images with a margin of one black pixel, 10×10, levels 0 … 16, one after the other.
  private let pixels: [Double]
  /// The numbers of a class's images.
  private let members: [[Int]]

  /// The forms' images of a split, as positions in the file.
  static func range(_ split: Dataset.Split) -> Range<Int> {
    switch split {
    case .train: 0..<1287
    case .validation: 1287..<1415
    case .test: 1415..<1797
    }
  }

  init(_ split: Dataset.Split) throws {
    let digits = try Dataset.embeddedDigits(), range = Self.range(split)
    var pixels = Array(repeating: 0.0, count: range.count * 100)
    var members = Array(repeating: [Int](), count: 10)
    let values = digits.images.values
    for (index, position) in range.enumerated() {
      members[digits.labels[position]].append(index)
      for row in 0..<8 {
        for column in 0..<8 {
          pixels[index * 100 + (row + 1) * 10 + column + 1] = Double(
            values[position * 64 + row * 8 + column] * 16)
        }
      }
    }
    self.pixels = pixels
    self.members = members
  }

  /// An image of a class, by chance.
  func pick(_ label: Int, using random: inout Random) -> Int {
    members[label][random.pick(members[label].count)]
  }

  /// Draws an image, or a part of it, lighter than what is there.
  ///
  /// - Parameters:
  ///   - columns: the part's columns of the image's 8, and `rows` its rows.
  ///   - x: where the part's middle goes; the middle of the canvas's first pixel is 0.
  ///   - magnification: pixels of the canvas for one of the image.
  ///   - turn: by how much it is turned.
  func draw(
    _ image: Int, rows: Range<Int> = 0..<8, columns: Range<Int> = 0..<8, x: Double, y: Double,
    magnification: Double, turn: Direction = Direction(turns: 0), on canvas: inout Canvas
  ) {
    let middleX = Double(columns.lowerBound + columns.upperBound - 1) / 2
    let middleY = Double(rows.lowerBound + rows.upperBound - 1) / 2
    let isWhole = rows.count == 8 && columns.count == 8
    // Bilinear interpolation reads up to a pixel outside.
    let left = Double(columns.lowerBound) - 1, right = Double(columns.upperBound)
    let top = Double(rows.lowerBound) - 1, bottom = Double(rows.upperBound)
    let reach = Double(max(rows.count, columns.count) + 2) / 2 * magnification * (isWhole ? 1.4143 : 1)
    let firstRow = max(0, Int(y - reach)), lastRow = min(canvas.size - 1, Int(y + reach + 1))
    let firstColumn = max(0, Int(x - reach)), lastColumn = min(canvas.size - 1, Int(x + reach + 1))
    guard firstRow <= lastRow, firstColumn <= lastColumn else { return }
    let cosine = turn.cosine / magnification, sine = turn.sine / magnification
    pixels.withUnsafeBufferPointer { pixels in
      let start = image * 100 + 11
      for row in firstRow...lastRow {
        let dy = Double(row) - y
        for column in firstColumn...lastColumn {
          let dx = Double(column) - x
          let u = cosine * dx + sine * dy + middleX, v = cosine * dy - sine * dx + middleY
          guard u > left, u < right, v > top, v < bottom else { continue }
          let i = Int(u + 1) - 1, j = Int(v + 1) - 1
          let fx = u - Double(i), fy = v - Double(j)
          func level(_ j: Int, _ i: Int) -> Double {
            if !isWhole, !rows.contains(j) || !columns.contains(i) { return 0 }
            return pixels[start &+ j &* 10 &+ i]
          }
          let upper = level(j, i) * (1 - fx) + level(j, i + 1) * fx
          let lower = level(j + 1, i) * (1 - fx) + level(j + 1, i + 1) * fx
          let value = Int32((upper * (1 - fy) + lower * fy) * (255.0 / 16) + 0.5)
          if value > canvas[row, column] { canvas[row, column] = value }
        }
      }
    }
  }
}
