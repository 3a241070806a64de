import Foundation

/// Of spaces of networks: each proxy's ranks beside those of the accuracy, and which operators it favours.
enum RankPlots {
  static func plots(_ data: ReportData, _ quality: ProxyQuality) -> [Plot] {
    let sets = grouped(data.rows("networks"), by: ProxyQuality.setColumns)
    return sets.enumerated().flatMap { number, set -> [Plot] in
      let favours = quality.operators.filter { $0.set.key(ProxyQuality.setColumns) == set.key }
      guard !favours.isEmpty else { return [] }
      let kernels = favours.map(\.kernel).uniqued()
      let suffix = number == 0 ? "" : "-\(number + 1)"
      let rows = quality.rows.filter { $0.set?.key(ProxyQuality.setColumns) == set.key && $0.tau.isFinite }
      return [operators(favours, kernels, set.key, "proxy-operators\(suffix)")]
        + rows.map { ranks($0, set.rows, kernels, "proxy-\(Plot.slug($0.proxy))\(suffix)") }
    }
  }

  /// Percentiles by the proxy and by accuracy, a point for each network, in the look of the operator of most of its places.
  private static func ranks(
    _ quality: ProxyQuality.Row, _ rows: [ReportData.Row], _ kernels: [String], _ name: String
  ) -> Plot {
    let known = rows.filter { $0.number(quality.proxy) != nil && $0.number("top1_mean") != nil }
    func percentiles(_ column: String) -> [Double] {
      OperatorBias.percentiles(known.compactMap { $0.number(column) })
    }
    let places = zip(percentiles(quality.proxy), percentiles("top1_mean"))
    let points = zip(known, places).map { row, place in
      let kernel = row["kernel"] ?? "", network = OperatorBias.places(kernel)
      let most = kernels.first { kernel in 2 * network.count { $0 == kernel } > network.count }
      return (kernel: kernel, series: most ?? "mixed", x: place.0, y: place.1)
    }
    let series = kernels + ["mixed"]
    let blocks = series.map { one in (one, points.filter { $0.series == one }.map { [$0.x, $0.y] }) }
    var frame = Frame(
      size: (760, 520), x: .init(first: -3, last: 103), y: .init(first: -3, last: 103))
    frame.right = Frame.room(for: series) + 60
    let parts = series.enumerated().map { index, one in
      let look = one == "mixed" ? "pointtype 7 pointsize 0.9 linecolor rgb '#BBBBBB'" : Plot.points(index)
      return "'\(name).dat' index \(index) using 1:2 with points \(look) title \(Escape.gnuplot(one))"
    }
    return Plot(
      name: name, title: "Ranks by \(quality.proxy) and by accuracy: Kendall's τ\(ProxyPlots.text(quality))",
      caption:
        "Each point is a network: the percentile at which \(quality.proxy) ranks it, and at which its accuracy does. On the line both agree; to the right of it the proxy promises too much. Colours tell the operator of more than half of the stages or blocks.",
      data: Plot.blocks(blocks),
      commands: frame.commands + [
        "set xlabel \(Escape.gnuplot("percentile by \(quality.proxy)"))",
        "set ylabel 'percentile by accuracy'",
        frame.x.range("x"), frame.y.range("y"),
        "plot x notitle with lines linecolor rgb '#8A8A8A' dashtype 2, \\\n  "
          + parts.joined(separator: ", \\\n  "),
      ], size: frame.size,
      spots: points.map { point in
        Spot(
          frame, point.x, point.y,
          "\(point.kernel)\n\(quality.proxy): \(Cell.fixed(point.x, decimals: 0))\naccuracy: \(Cell.fixed(point.y, decimals: 0))"
        )
      })
  }

  /// How many percentiles too high each proxy ranks the networks with each operator.
  private static func operators(
    _ favours: [OperatorBias], _ kernels: [String], _ key: String, _ name: String
  ) -> Plot {
    let proxies = favours.map(\.proxy).uniqued()
    func height(_ proxy: Int, _ kernel: Int) -> Double {
      Double(proxies.count - proxy) + 0.7 * (0.5 - (Double(kernel) + 0.5) / Double(kernels.count))
    }
    let blocks = kernels.enumerated().map { number, kernel in
      (
        kernel,
        favours.filter { $0.kernel == kernel }.map { bias in
          [
            bias.difference, height(proxies.firstIndex(of: bias.proxy) ?? 0, number),
            bias.interval?.lowerBound ?? .nan, bias.interval?.upperBound ?? .nan,
          ]
        }
      )
    }
    let ends = favours.flatMap { [$0.difference, $0.interval?.lowerBound, $0.interval?.upperBound] }
      .compactMap { $0 }.map(abs)
    let end = 1.08 * max(ends.max() ?? 1, 1)
    var frame = Frame(
      size: (760, 130 + 44 * proxies.count), x: .init(first: -end, last: end),
      y: .init(first: 0.5, last: Double(proxies.count) + 0.5))
    (frame.left, frame.right) = (Frame.room(for: proxies) + 24, Frame.room(for: kernels) + 60)
    let names = proxies.enumerated().map { "\(Escape.gnuplot($1)) \(proxies.count - $0)" }
    let parts = kernels.enumerated().map { index, kernel in
      "'\(name).dat' index \(index) using 1:2:3:4 with xerrorbars \(Plot.points(index)) title \(Escape.gnuplot(kernel))"
    }
    return Plot(
      name: name, title: "Which operators the proxies favour: \(key)",
      caption:
        "For the networks with an operator: their mean percentile by the proxy less that by accuracy, weighted by how many of their stages or blocks have it, with the 95 % interval of a bootstrap over these networks. To the right of 0 the proxy promises too much.",
      data: Plot.blocks(blocks),
      commands: frame.commands + [
        "set ytics (\(names.joined(separator: ", ")))", "set xlabel 'percentiles too high'",
        frame.x.range("x"), frame.y.range("y"),
        "set arrow from 0,graph 0 to 0,graph 1 nohead linecolor rgb '#8A8A8A'",
        "plot " + parts.joined(separator: ", \\\n  "),
      ], size: frame.size)
  }
}
