import Foundation

/// Each proxy against the trained accuracy, a panel for each set of networks that can be compared.
enum ProxyPlots {
  static func plots(_ data: ReportData) -> [Plot] {
    guard let quality = data.quality else { return [] }
    // The names of hundreds of networks have no room at their points.
    guard quality.operators.isEmpty else { return RankPlots.plots(data, quality) }
    let sets = grouped(data.rows("networks"), by: ProxyQuality.setColumns)
    return ProxyQuality.columns.compactMap { proxy in
      let rows = quality.rows.filter { $0.proxy == proxy }
      let panels = zip(sets, rows.filter { $0.set != nil }).compactMap { set, row in
        Panel(set.key, set.rows, row)
      }
      guard let first = panels.first else { return nil }
      let name = "proxy-\(Plot.slug(proxy))"
      guard panels.count > 1, let mean = rows.first(where: { $0.set == nil }) else {
        return single(first, name, data.kernels)
      }
      return facets(panels, name, mean, data.kernels)
    }
  }

  /// The networks of one set.
  private struct Panel {
    let key: String, proxy: String, quality: String
    /// Each kernel's points: values of the proxy, in the unit of the axis, and accuracies.
    let series: [(kernel: String, points: [(x: Double, y: Double)])]
    let axis: AccuracyAxis
    let label: String

    /// Nil where too few networks have both numbers.
    init?(_ key: String, _ rows: [ReportData.Row], _ row: ProxyQuality.Row) {
      guard row.count >= ProxyQuality.fewest else { return nil }
      self.key = key
      proxy = row.proxy
      quality = ProxyPlots.text(row)
      let cost = AccuracyPlots.costs.first { $0.column == row.proxy }
      series = grouped(rows, by: ["kernel"]).compactMap { kernel, rows in
        let points = rows.compactMap { cells -> (x: Double, y: Double)? in
          guard let x = cells.number(row.proxy), let y = cells.number("top1_mean") else { return nil }
          return (x * (cost?.scale ?? 1), y)
        }
        return points.isEmpty ? nil : (kernel, points)
      }
      axis = AccuracyAxis(series.flatMap { $0.points.map(\.y) })
      label = cost?.label ?? row.proxy
    }

    var blocks: [(name: String, rows: [[Double]])] {
      series.map { kernel, points in ("\(key): \(kernel)", points.map { [$0.x, axis.place($0.y)] }) }
    }

    /// Draws the blocks from number `first` on in a frame, with tooltips at the points and, if there are not too many,
    /// labels; `label` belongs to the horizontal axis.
    func drawn(
      _ file: String, first: Int, in frame: Frame, marks: Int, _ label: String, _ kernels: [String]
    ) -> (commands: [String], spots: [Spot]) {
      let points = series.flatMap { kernel, points in
        points.map { (kernel: kernel, x: $0.x, y: axis.place($0.y), top1: $0.y) }
      }
      let items = points.map { point in
        let place = frame.pixel(point.x, point.y)
        return PointLabels.Item(name: point.kernel, x: place.x, y: place.y, low: place.y, high: place.y)
      }
      let names = items.count <= ProxyPlots.mostLabels ? PointLabels(items, in: frame).commands : []
      let parts = series.enumerated().map { index, one in
        "'\(file).dat' index \(first + index) using 1:2 with points \(ProxyPlots.look(one.kernel, kernels))"
      }
      return (
        frame.commands + names + axis.commands() + horizontal(marks).commands + [
          "set xlabel \(Escape.gnuplot(label))", "plot " + parts.joined(separator: ", \\\n  "),
        ],
        points.map { point in
          Spot(
            frame, point.x, point.y,
            "\(point.kernel)\n\(Cell.fixed(point.top1, decimals: 1)) % top-1\n\(self.label): \(Cell.number(point.x, digits: 4))"
          )
        }
      )
    }

    /// The horizontal axis.
    func horizontal(_ marks: Int) -> (axis: Frame.Axis, commands: [String]) {
      ProxyPlots.horizontal(series.flatMap { $0.points.map(\.x) }, marks)
    }
  }

  /// With more points than this, labels would hide the picture, and tooltips have to do.
  private static let mostLabels = 40

  private static let meaning =
    "Each point is a network; point at it to see its kernel. A τ of 1 means that the proxy orders them as their trained accuracy does; 0 means that it says nothing."

  private static func single(_ panel: Panel, _ name: String, _ kernels: [String]) -> Plot {
    let size = (width: 760, height: 440)
    let drawn = panel.drawn(
      name, first: 0, in: Frame(size: size, x: panel.horizontal(5).axis, y: panel.axis.ends), marks: 5,
      panel.label, kernels)
    return Plot(
      name: name, title: "\(panel.proxy) against accuracy: Kendall's τ\(panel.quality)",
      caption: "\(meaning) The interval is from a bootstrap over the networks.",
      data: Plot.blocks(panel.blocks), commands: ["set nokey"] + drawn.commands, size: size,
      spots: drawn.spots)
  }

  private static func facets(
    _ panels: [Panel], _ name: String, _ mean: ProxyQuality.Row, _ kernels: [String]
  ) -> Plot {
    let columns = min(3, panels.count), lines = (panels.count + columns - 1) / columns
    let width = 340, height = 300, size = (width: width * columns, height: height * lines)
    var commands = ["set multiplot layout \(lines),\(columns)", "unset key"], blocks = 0, spots: [Spot] = []
    for (index, panel) in panels.enumerated() {
      let (line, column) = index.quotientAndRemainder(dividingBy: columns)
      let frame = Frame(
        size: size, x: panel.horizontal(3).axis, y: panel.axis.ends, left: Double(width * column + 70),
        right: Double(width * (columns - column - 1) + 18), top: Double(height * line + 36),
        bottom: Double(height * (lines - line - 1) + 62))
      let drawn = panel.drawn(
        name, first: blocks, in: frame, marks: 3, "\(panel.label): τ\(panel.quality)", kernels)
      commands += [
        "unset logscale", "set tics autofreq", "set format x '%g'", "unset label", "unset arrow",
        "set title \(Escape.gnuplot(panel.key)) noenhanced",
      ]
      commands += drawn.commands
      spots += drawn.spots
      blocks += panel.series.count
    }
    return Plot(
      name: name,
      title: "\(mean.proxy) against accuracy: Kendall's τ, mean of \(mean.sets) sets\(text(mean))",
      caption:
        "\(meaning) Each panel shows a set: networks that differ in their kernel only. Networks of different sets are not compared. Intervals are from a bootstrap over the networks of each set.",
      data: Plot.blocks(panels.flatMap(\.blocks)), commands: commands + ["unset multiplot"], size: size,
      spots: spots)
  }

  /// The look of a kernel, the same in all pictures.
  private static func look(_ kernel: String, _ kernels: [String]) -> String {
    Plot.points(kernels.firstIndex(of: kernel) ?? 0)
  }

  /// τ with its interval, as it follows the word.
  static func text(_ row: ProxyQuality.Row) -> String {
    let tau = Cell.fixed(row.tau, decimals: 2)
    guard !tau.isEmpty else { return " is not defined" }
    let interval = row.tauInterval.map {
      " (95 %: \(Cell.fixed($0.lowerBound, decimals: 2)) to \(Cell.fixed($0.upperBound, decimals: 2)))"
    }
    return " = \(tau)\(interval ?? "")"
  }

  /// A horizontal axis with about so many marks; logarithmic where the numbers span orders of magnitude, as proxies do
  /// where networks differ in depth or width.
  private static func horizontal(
    _ values: [Double], _ marks: Int
  ) -> (axis: Frame.Axis, commands: [String]) {
    let low = values.min() ?? 0, high = values.max() ?? 1
    guard low > 0, high / low > 100 else {
      let room = max((high - low) * 0.06, abs(high) * 1e-6, 1e-12),
        rough = (high - low + 2 * room) / Double(marks)
      let power = pow(10, floor(log10(rough)))
      let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
      let axis = Frame.Axis(first: low - room, last: high + room)
      return (axis, [axis.range("x"), "set xtics \(Cell.number(step))", "set format x '%.4g'"])
    }
    let decades = log10(high / low)
    let axis = Frame.Axis(first: low / 2, last: high * 2, isLogarithmic: true)
    return (
      axis,
      [
        "set logscale x", axis.range("x"),
        "set xtics \(Cell.number(pow(10, floor(log10(low / 2))))), \(Cell.number(pow(10, max(1, (decades / Double(marks)).rounded(.up)))))",
        "set mxtics 1",
        "set format x '%.0e'",
      ]
    )
  }
}
