/// Accuracy against what it costs, with the Pareto front marked.
enum AccuracyPlots {
  /// What accuracy is held against: columns of networks.csv.
  static let costs: [(column: String, name: String, label: String, noun: String, scale: Double)] = [
    ("latency_ms_median", "latency", "latency of one image, ms", "latency", 1),
    ("macs", "macs", "multiply–accumulates of one image, millions", "multiply–accumulates", 1e-6),
    ("params", "params", "parameters, thousands", "parameters", 1e-3),
    ("energy_uj", "energy", "estimated energy of one image, µJ", "energy", 1),
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
      "'\(file).dat' index \(points.count + 1) using 1:2 with steps linecolor rgb '#8A8A8A' dashtype 2 linewidth 1.5 title 'clear Pareto front'"
    ]
    for (index, point) in points.enumerated() {
      let look = Plot.points(kernels.firstIndex(of: point.kernel) ?? index)
      parts.append(
        "'' index \(index) using 1:2:3:4 with yerrorbars \(look) linewidth 1 title \(Escape.gnuplot(point.kernel))"
      )
    }
    parts.append(
      "'' index \(points.count) using 1:2 with points pointtype 6 pointsize 2.4 linewidth 1.2 linecolor rgb '#8A8A8A' notitle"
    )
    return Plot(
      name: file, title: "Accuracy against \(cost.noun): \(key)",
      caption:
        "Mean test accuracy with its 95 % interval, over seeds and test images, cut off where it is far larger than the differences. Ringed, and joined by the dashed line: the cheapest kernel, and each whose interval lies above those of all cheaper ones. Of the others the data do not say that their cost buys accuracy.",
      data: "# x, and on the axis accuracy, low, high; then the accuracy\n" + Plot.blocks(blocks),
      commands: axis.commands() + [
        "set xlabel \(Escape.gnuplot(cost.label))", "set xrange [\(max(0, low - room)):\(high + room)]",
        "plot " + parts.joined(separator: ", \\\n  "),
      ], task: rows.first?["data"])
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
