import Foundation

/// The position of a picture's axes, in pixels. gnuplot gets the margins, so that labels and tooltips can be placed
/// at the points.
struct Frame: Sendable {
  /// An axis from its left or lower end to the other.
  struct Axis: Sendable {
    let first: Double, last: Double
    var isLogarithmic = false

    /// Where a value is, from 0 at the first end to 1 at the last; what lies beyond an end is there.
    func place(_ value: Double) -> Double {
      let share =
        isLogarithmic
        ? (log(value) - log(first)) / (log(last) - log(first)) : (value - first) / (last - first)
      return share.isFinite ? min(max(share, 0), 1) : 0
    }

    /// What sets its ends, for `x` or `y`.
    func range(_ axis: String) -> String { "set \(axis)range [\(first):\(last)]" }
  }

  /// The whole picture's width and height.
  let size: (width: Int, height: Int)
  let x: Axis, y: Axis
  /// The margins around the axes.
  var left = 84.0, right = 24.0, top = 18.0, bottom = 70.0

  /// The width that names need, in pixels, at most `most`.
  static func room(for names: [String], most: Double = 330) -> Double {
    min(most, 7.6 * Double(names.map(\.count).max() ?? 0) + 24)
  }

  private var width: Double { Double(size.width) }
  private var height: Double { Double(size.height) }

  /// The pixel of a point, counted from the upper left corner.
  func pixel(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    (
      left + self.x.place(x) * (width - left - right),
      height - bottom - self.y.place(y) * (height - top - bottom)
    )
  }

  /// A pixel as gnuplot's coordinates of the whole picture.
  func screen(_ pixel: (x: Double, y: Double)) -> String {
    "screen \(Cell.fixed(pixel.x / width, decimals: 5)),\(Cell.fixed(1 - pixel.y / height, decimals: 5))"
  }

  /// Whether a box lies in the frame, or a little above it or to its right.
  func holds(_ box: PointLabels.Box) -> Bool {
    box.left >= left + 2 && box.right <= width - right + min(right, 22) && box.top >= top - 16
      && box.bottom <= height - bottom - 2
  }

  /// What sets the margins.
  var commands: [String] {
    [
      ("l", left / width), ("r", 1 - right / width), ("t", 1 - top / height), ("b", bottom / height),
    ].map { "set \($0)margin at screen \(Cell.fixed($1, decimals: 5))" }
  }
}
