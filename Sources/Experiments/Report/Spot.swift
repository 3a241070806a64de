import Foundation

/// A place in a picture that has a tooltip.
struct Spot: Sendable {
  /// The middle, in pixels.
  let x: Double, y: Double
  /// The text: lines, the first of which is the name.
  let text: String

  /// A point of a frame.
  init(_ frame: Frame, _ x: Double, _ y: Double, _ text: String) {
    (self.x, self.y) = frame.pixel(x, y)
    self.text = text
  }

  /// A picture drawn by gnuplot, with spots on top and without the titles that show gnuplot's own names.
  static func add(_ spots: [Spot], to svg: Data) -> Data {
    var text = String(decoding: svg, as: UTF8.self).replacingOccurrences(
      of: "<title>(Gnuplot|gnuplot_plot_[0-9]+[a-z]?)</title>", with: "", options: .regularExpression)
    guard !spots.isEmpty, let end = text.range(of: "</svg>", options: .backwards) else {
      return Data(text.utf8)
    }
    let circles = spots.map { spot in
      "<circle cx=\"\(Cell.fixed(spot.x, decimals: 1))\" cy=\"\(Cell.fixed(spot.y, decimals: 1))\" r=\"9\"><title>\(Escape.html(spot.text))</title></circle>\n"
    }
    text.insert(
      contentsOf: "<g fill=\"transparent\" stroke=\"none\">\n\(circles.joined())</g>\n", at: end.lowerBound)
    return Data(text.utf8)
  }
}
