import Foundation
import Testing

@testable import Experiments

/// Names and hints at the points of pictures, and what a page says in words.
@Suite struct ReportPictureTests {
  private let frame = Frame(
    size: (width: 760, height: 460), x: .init(first: 1, last: 100, isLogarithmic: true),
    y: .init(first: 90, last: 100))

  @Test func pixelsAreWhereGnuplotDraws() {
    let corner = frame.pixel(1, 90), middle = frame.pixel(10, 95), beyond = frame.pixel(1e9, 1e9)
    #expect(corner.x == 84 && corner.y == 390)
    #expect(abs(middle.x - (84 + 652 / 2)) < 1e-9 && abs(middle.y - (18 + 372 / 2)) < 1e-9)
    #expect(beyond.x == 736 && beyond.y == 18, "what lies beyond an axis is at its end")
    #expect(frame.commands.contains("set lmargin at screen 0.11053"))
    #expect(frame.screen(corner) == "screen 0.11053,0.15217")
  }

  /// Thirty points in a small cloud: names cover neither each other nor points.
  @Test func namesCoverNothing() throws {
    let items = (0..<30).map { index in
      let angle = Double(index) * 2.4, radius = 9 * Double(index).squareRoot()
      let x = 400 + radius * cos(angle), y = 200 + radius * sin(angle)
      return PointLabels.Item(name: "kernel \(index)", x: x, y: y, low: y + 9, high: y - 9)
    }
    let labels = PointLabels(items, in: frame)
    let places = labels.commands.compactMap { command -> PointLabels.Box? in
      let label =
        #/set label \d+ "(.*)" at screen ([\d.]+),([\d.]+) (left|right|center) font ',11' front/#
      guard let match = command.wholeMatch(of: label), let x = Double(match.2), let y = Double(match.3) else {
        return nil
      }
      let width = 6.6 * Double(match.1.count), pixel = (x: 760 * x, y: 460 * (1 - y))
      let left = match.4 == "left" ? pixel.x : match.4 == "right" ? pixel.x - width : pixel.x - width / 2
      return .init(left: left, top: pixel.y - 7, right: left + width, bottom: pixel.y + 7)
    }
    #expect(places.count + labels.missing == 30 && labels.missing < 10, "\(labels.missing)")
    for (index, place) in places.enumerated() {
      for other in places[..<index] { #expect(place.overlap(other) < 10) }
      for item in items { #expect(!place.contains(item.x, item.y)) }
    }
    // Names are text, wherever they stand.
    let wicked = PointLabels([.init(name: "a\"`b", x: 300, y: 200, low: 200, high: 200)], in: frame)
    #expect(wicked.commands.first?.hasPrefix("set label 1 \"a\\042\\140b\" at screen ") == true)
  }

  @Test func pointsTellTheirValues() {
    let drawn = Data(
      "<svg><title>Gnuplot</title><g id=\"gnuplot_plot_1\" ><title>gnuplot_plot_1</title></g><text></svg></text></svg>\n"
        .utf8)
    let spots = [Spot(frame, 10, 95, "a <b>\n97 %")]
    #expect(
      String(decoding: Spot.add(spots, to: drawn), as: UTF8.self)
        == "<svg><g id=\"gnuplot_plot_1\" ></g><text></svg></text><g fill=\"transparent\" stroke=\"none\">\n<circle cx=\"410.0\" cy=\"204.0\" r=\"9\"><title>a &lt;b&gt;\n97 %</title></circle>\n</g>\n</svg>\n"
    )
  }

  private func data(_ networks: String) throws -> ReportData {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("words-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try networks.write(to: folder.appendingPathComponent("networks.csv"), atomically: true, encoding: .utf8)
    return try ReportData(folder)
  }

  @Test func theSummarySaysWhatTheTableSays() throws {
    let columns =
      "kernel,model,data,params,latency_ms_median,top1_mean,top1_low95,top1_high95,top1_difference,verdict\n"
    let judged = try ReportSummary.paragraphs(
      data(
        columns + "standard,m,d,2000,0.3,90,89,91,,\nshift,m,d,1000,0.2,80,79,81,-10,worse\n"
          + "dilated,m,d,2000,0.4,93.04,92,94,3.04,better\nfft,m,d,2000,0.9,90,89,91,0,open\n"))
    #expect(
      judged == [
        "m, d: standard classifies 90.0 % (89.0–91.0) of the test images correctly. Better: dilated (+3.0 points). Worse: shift (−10.0 points). Open: fft. Fewest parameters: shift, 1,000 (standard 2,000). Fastest network: shift, 0.20 ms an image (standard 0.30)."
      ])
    let single = try ReportSummary.paragraphs(
      data("kernel,top1_mean\nstandard,90\nshift,91\n"))
    #expect(
      single == [
        "standard classifies 90.0 % of the test images correctly. The highest mean is that of shift, 91.0 %. There are too few seeds for a verdict."
      ])
    #expect(
      try ReportSummary.paragraphs(
        data("kernel,data,test_mse_mean\nstandard,spots,0.02\nshift,spots,0.0123\n")) == [
          "spots: The lowest mean squared error is that of shift, 0.0123; standard has 0.02."
        ])
    #expect(try ReportSummary.paragraphs(data("kernel,top1_mean\nstandard,90\n")).isEmpty)
  }
}
