import Foundation
import Tensors

/// A picture as data and a gnuplot script: `NAME.dat` and `NAME.gp`, which draws `NAME.svg` and `NAME.png`.
struct Plot: Sendable {
  /// The files' name, of letters, digits and hyphens.
  private(set) var name: String
  /// The heading on the page.
  let title: String
  /// What can be seen, in a sentence or two.
  let caption: String
  /// The columns of data, in blocks that `index` finds by number.
  let data: String
  /// The commands of gnuplot that draw.
  private(set) var commands: [String]
  /// Width and height, in pixels of a page.
  var size = (width: 760, height: 440)
  /// The data set that it is about, where it is about one.
  var task: String?
  /// The tooltips of its points.
  var spots: [Spot] = []
  /// Its section of the page.
  var section = ReportSection.accuracies

  /// The same in files of another name.
  func renamed(_ name: String) -> Plot {
    var plot = self
    plot.commands = commands.map {
      $0.replacingOccurrences(of: "'\(self.name).dat'", with: "'\(name).dat'")
    }
    plot.name = name
    return plot
  }

  /// The whole script.
  var script: String {
    let about = [
      "# \(Escape.gnuplotComment(title))",
      "# gnuplot \(name).gp, in this folder, draws \(name).svg and \(name).png.",
      "set encoding utf8",
    ]
    let settings = [
      "set border 3", "set tics nomirror out",
      "set grid linecolor rgb '#999999' linewidth 0.5 dashtype 3",
      "set key outside right top Left reverse samplen 1.5 width 1",
    ]
    let svg = [
      "set terminal svg size \(size.width),\(size.height) dynamic noenhanced font 'sans,13'",
      "set output '\(name).svg'",
    ]
    // All is said again, since a picture of several panels cannot be replotted.
    let png = [
      "reset",
      "set terminal pngcairo size \(2 * size.width),\(2 * size.height) noenhanced font 'sans,12' fontscale 2 linewidth 2 pointscale 2",
      "set output '\(name).png'",
    ]
    // SVG has no images, so pixels are drawn one by one there.
    let images = commands.map { $0.replacingOccurrences(of: " image pixels", with: " image") }
    return (about + svg + settings + commands + png + settings + images + ["set output"])
      .joined(separator: "\n") + "\n"
  }

  /// Okabe and Ito's colours, which colour-blind readers can tell apart, without black and yellow, which vanish on dark
  /// and on light pages.
  static let colors = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8A8A8A"]
  /// Gnuplot's filled points of different shapes.
  private static let shapes = [7, 5, 9, 11, 13, 15]

  /// The look of the points of the n-th of several series: no two of 42 are the same.
  static func points(_ index: Int) -> String {
    "pointtype \(shapes[index % shapes.count]) pointsize 1.2 \(color(index))"
  }

  /// The colour of the n-th of several series.
  static func color(_ index: Int) -> String { "linecolor rgb '\(colors[index % colors.count])'" }

  /// The dashes of the n-th: series that share a colour differ in them.
  static func dashes(_ index: Int) -> String { "dashtype \(index / colors.count % 5 + 1)" }

  /// Blocks of rows as gnuplot reads them, each with its name in a comment.
  static func blocks(_ blocks: [(name: String, rows: [[Double]])]) -> String {
    blocks.map { name, rows in
      let lines = rows.map { $0.map { Cell.number($0, digits: 9) }.map { $0.isEmpty ? "NaN" : $0 } }
      return "# \(Escape.gnuplotComment(name))\n"
        + (lines.isEmpty ? "NaN NaN NaN\n" : lines.map { $0.joined(separator: " ") + "\n" }.joined())
    }.joined(separator: "\n\n")
  }

  /// A text as part of a file's name.
  static func slug(_ text: String) -> String {
    let kept = text.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    return String(kept.prefix(80)).split(separator: "-").joined(separator: "-")
  }
}
