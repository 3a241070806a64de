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
    let points = rows.compactMap { row -> (kernel: String, x: Double, y: Double, interval: Double)? in
      guard let x = row.number(cost.column), let y = row.number("top1_mean") else { return nil }
      return (row["kernel"] ?? "", x * cost.scale, y, row.number("top1_ci95") ?? 0)
    }
    guard points.count > 1 else { return nil }
    let front = paretoFront(points.map { ($0.x, $0.y) })
    let axis = AccuracyAxis(points.map(\.y), intervals: points.map(\.interval))
    let low = points.map(\.x).min() ?? 0, high = points.map(\.x).max() ?? 1
    let room = max((high - low) * 0.08, high * 0.02)
    let shown = sideBySide(points.map(\.x), distance: 0.014 * (high - low + 2 * room))
    let blocks =
      points.indices.map { index -> (name: String, rows: [[Double]]) in
        let (kernel, x, y, interval) = points[index]
        return (
          kernel,
          [[shown[index], axis.place(y), axis.place(y - interval), axis.place(y + interval), x, y, interval]]
        )
      } + [
        ("rings", front.map { [shown[$0], axis.place(points[$0].y)] }),
        (
          "Pareto front",
          front.map { [points[$0].x, axis.place(points[$0].y)] }
            + [[high + room, axis.place(points[front.last ?? 0].y)]]
        ),
      ]
    let file = "accuracy-\(cost.name)-\(Plot.slug(key))"
    var parts = [
      "'\(file).dat' index \(points.count + 1) using 1:2 with steps linecolor rgb '#8A8A8A' dashtype 2 linewidth 1.5 title 'Pareto front'"
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
        "Mean test accuracy with its 95 % interval (Student's t over seeds), cut off where it is far larger than the differences. Ringed kernels are on the Pareto front: no other is both cheaper and more accurate. Kernels of equal cost stand side by side.",
      data: "# shown at x, y, low, high; then cost, accuracy, interval\n" + Plot.blocks(blocks),
      commands: axis.commands + [
        "set xlabel \(Escape.gnuplot(cost.label))", "set xrange [\(max(0, low - room)):\(high + room)]",
        "plot " + parts.joined(separator: ", \\\n  "),
      ])
  }

  /// Places for equal numbers beside each other, so that no point hides another.
  static func sideBySide(_ numbers: [Double], distance: Double) -> [Double] {
    numbers.indices.map { index in
      let equal = numbers.indices.filter { abs(numbers[$0] - numbers[index]) < distance / 2 }
      let place = equal.firstIndex(of: index) ?? 0
      return numbers[index] + distance * (Double(place) - Double(equal.count - 1) / 2)
    }
  }

  /// The numbers of the points that no other beats, cheapest first.
  static func paretoFront(_ points: [(cost: Double, gain: Double)]) -> [Int] {
    let order = points.indices.sorted {
      (points[$0].cost, -points[$0].gain) < (points[$1].cost, -points[$1].gain)
    }
    var best = -Double.infinity
    return order.filter { index in
      guard points[index].gain > best else { return false }
      best = points[index].gain
      return true
    }
  }
}
