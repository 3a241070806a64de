/// Accuracy against what it costs, with the Pareto front marked.
enum AccuracyPlots {
  /// The costs that accuracy is plotted against: columns of networks.csv.
  static let costs: [(column: String, name: String, label: String, noun: String, scale: Double)] = [
    ("latency_ms_median", "latency", "latency for one image, ms", "latency", 1),
    ("macs", "macs", "multiply–accumulates for one image, millions", "multiply–accumulates", 1e-6),
    ("params", "params", "parameters, thousands", "parameters", 1e-3),
    ("energy_uj", "energy", "estimated energy for one image, µJ", "energy", 1),
  ]

  /// A plot for each cost and each model, data set and group of networks.csv.
  static func plots(_ data: ReportData) -> [Plot] {
    let rows = data.rows("networks").filter { $0.number("top1_mean") != nil }
    let groups = grouped(rows, by: ["group", "model", "replace", "data"]).filter { $0.rows.count > 1 }
    return groups.flatMap { key, rows in costs.compactMap { plot($0, key, rows, data.kernels) } }
  }

  private static func plot(
    _ cost: (column: String, name: String, label: String, noun: String, scale: Double), _ key: String,
    _ rows: [ReportData.Row], _ kernels: [String]
  ) -> Plot? {
    let points = rows.compactMap {
      row -> (kernel: String, x: Double, y: Double, low: Double, high: Double)? in
      guard let x = row.number(cost.column), let y = row.number("top1_mean") else { return nil }
      let half = row.number("top1_ci95") ?? 0
      return (
        row["kernel"] ?? "", x * cost.scale, y, row.number("top1_low95") ?? y - half,
        row.number("top1_high95") ?? y + half
      )
    }
    guard points.count > 1 else { return nil }
    let front = clearFront(points.map { ($0.x, $0.y, $0.low, $0.high) })
    let axis = AccuracyAxis(points.map(\.y), intervals: points.map { max($0.y - $0.low, $0.high - $0.y) })
    let low = points.map(\.x).min() ?? 0, high = points.map(\.x).max() ?? 1
    let room = max((high - low) * 0.08, high * 0.02)
    let size = (width: 760, height: 460)
    let frame = Frame(
      size: size, x: .init(first: max(0, low - room), last: high + room), y: axis.ends)
    let names = PointLabels(
      points.enumerated().map { index, point in
        let x = point.x, middle = frame.pixel(x, axis.place(point.y))
        return PointLabels.Item(
          name: point.kernel, x: middle.x, y: middle.y, low: frame.pixel(x, axis.place(point.low)).y,
          high: frame.pixel(x, axis.place(point.high)).y, radius: front.contains(index) ? 13 : 6)
      }, in: frame)
    let spots = zip(points, rows.filter { $0.number(cost.column) != nil }).map { point, row in
      Spot(
        frame, point.x, axis.place(point.y),
        [
          point.kernel, "\(Cell.accuracy(row) ?? "") % top-1",
          "\(cost.label): \(Cell.rounded(point.x, digits: 3))", row["verdict"] ?? "",
        ].filter { !$0.isEmpty }.joined(separator: "\n"))
    }
    let blocks =
      points.map { point -> (name: String, rows: [[Double]]) in
        (
          point.kernel,
          [[point.x, axis.place(point.y), axis.place(point.low), axis.place(point.high), point.y]]
        )
      } + [
        ("rings", front.map { [points[$0].x, axis.place(points[$0].y)] }),
        (
          "Pareto front",
          front.map { [points[$0].x, axis.place(points[$0].y)] }
            + [[high + room, axis.place(points[front.last ?? 0].y)]]
        ),
      ]
    let file = "accuracy-\(cost.name)-\(Plot.slug(key))"
    var parts = [
      "'\(file).dat' index \(points.count + 1) using 1:2 with steps linecolor rgb '#8A8A8A' dashtype 2 linewidth 1.5"
    ]
    for (index, point) in points.enumerated() {
      let look = Plot.points(kernels.firstIndex(of: point.kernel) ?? index)
      parts.append(
        "'' index \(index) using 1:2:3:4 with yerrorbars \(look) linewidth 1"
      )
    }
    parts.append(
      "'' index \(points.count) using 1:2 with points pointtype 6 pointsize 2.4 linewidth 1.2 linecolor rgb '#8A8A8A'"
    )
    return Plot(
      name: file, title: "Accuracy against \(cost.noun): \(key)",
      caption:
        "Mean test accuracy with its 95 % interval, over seeds and test images, cut off where it is far larger than the differences. Ringed and joined by the dashed line are the cheapest kernel and those whose intervals lie above those of all cheaper kernels. For the others there is no evidence that their cost buys accuracy.\(names.missing > 0 ? " Point at a mark without a name to see its kernel." : "")",
      data: "# x, and on the axis accuracy, low, high; then the accuracy\n" + Plot.blocks(blocks),
      commands: axis.commands() + frame.commands + names.commands + [
        "set nokey", "set xlabel \(Escape.gnuplot(cost.label))", frame.x.range("x"),
        "plot " + parts.joined(separator: ", \\\n  "),
      ], size: size, task: rows.first?["data"], spots: spots)
  }

  /// The numbers of the points that are clearly on the Pareto front, cheapest first: the cheapest one, and each whose
  /// interval lies above those of all that are cheaper. Of equally cheap ones only the best can be.
  static func clearFront(_ points: [(cost: Double, gain: Double, low: Double, high: Double)]) -> [Int] {
    let order = points.indices.sorted {
      (points[$0].cost, -points[$0].gain) < (points[$1].cost, -points[$1].gain)
    }
    var highest = -Double.infinity, last = -Double.infinity
    return order.filter { index in
      let point = points[index], isFirst = point.cost > last
      defer {
        highest = max(highest, point.high)
        last = point.cost
      }
      return isFirst && point.low > highest
    }
  }
}
