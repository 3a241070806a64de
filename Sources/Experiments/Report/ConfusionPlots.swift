/// Which classes are mistaken: made of confusion.csv.
enum ConfusionPlots {
  /// With more classes numbers are too small to read.
  private static let most = 20

  /// For each model and data set the accuracies by class, and the confusion matrices of standard and of what is better
  /// or worse.
  static func plots(_ data: ReportData) -> [Plot] {
    let networks = data.rows("networks")
    return grouped(data.rows("confusion"), by: ["group", "model", "replace", "data"]).flatMap {
      key, rows -> [Plot] in
      let kernels = grouped(rows, by: ["kernel"]).map { (name: $0.key, counts: counts($0.rows)) }
      let classes = kernels.map(\.counts.count).max() ?? 0
      guard (2...most).contains(classes) else { return [] }
      let decided = Set(
        networks.filter { ["better", "worse"].contains($0["verdict"] ?? "") }
          .filter { $0.key(["group", "model", "replace", "data"]) == key }.compactMap { $0["kernel"] })
      let chosen = kernels.enumerated().filter { $0.offset == 0 || decided.contains($0.element.name) }
      return [byClass(kernels, key, rows[0]["data"])]
        + chosen.map { matrix($0.element.name, $0.element.counts, key, rows[0]["data"]) }
    }
  }

  /// The images of each class that were taken for each class.
  private static func counts(_ rows: [ReportData.Row]) -> [[Double]] {
    let entries = rows.compactMap { row -> (Int, Int, Double)? in
      guard let label = row["class"].flatMap({ Int($0) }), let guess = row["predicted"].flatMap({ Int($0) }),
        let images = row.number("images"), (0..<1000).contains(label), (0..<1000).contains(guess)
      else { return nil }
      return (label, guess, images)
    }
    let classes = (entries.map { max($0.0, $0.1) }.max() ?? -1) + 1
    var counts = Array(repeating: Array(repeating: 0.0, count: classes), count: classes)
    for (label, guess, images) in entries { counts[label][guess] += images }
    return counts
  }

  /// In percent of the images of each class.
  private static func shares(_ counts: [[Double]]) -> [[Double]] {
    counts.map { row in
      let images = row.reduce(0, +)
      return row.map { images > 0 ? 100 * $0 / images : .nan }
    }
  }

  private static func byClass(
    _ kernels: [(name: String, counts: [[Double]])], _ key: String, _ task: String?
  ) -> Plot {
    let cells = kernels.enumerated().flatMap { y, kernel in
      shares(kernel.counts).enumerated().map { x, row in [Double(x), Double(y), row[x]] }
    }
    return map(
      "classes-\(Plot.slug(key))", "Accuracies by class: \(key)",
      "Percentage of each class's images that are classified correctly, over all seeds.",
      cells, columns: kernels.map(\.counts.count).max() ?? 0, rows: kernels.map(\.name), across: "class",
      task)
  }

  private static func matrix(_ kernel: String, _ counts: [[Double]], _ key: String, _ task: String?) -> Plot {
    let cells = shares(counts).enumerated().flatMap { y, row in
      row.enumerated().map { x, share in [Double(x), Double(y), share] }
    }
    return map(
      "confusion-\(Plot.slug(key))-\(Plot.slug(kernel))", "What \(kernel) confuses: \(key)",
      "Percentage of each class's images (rows) that are taken for each class (columns), over all seeds.",
      cells, columns: counts.count, rows: counts.indices.map(String.init), across: "predicted class", task)
  }

  /// Cells of percent, the fuller the bluer, with their numbers.
  private static func map(
    _ file: String, _ title: String, _ caption: String, _ cells: [[Double]], columns: Int, rows: [String],
    across: String, _ task: String?
  ) -> Plot {
    let names = rows.enumerated().map { "\(Escape.gnuplotTick($1)) \($0)" }.joined(separator: ", ")
    return Plot(
      name: file, title: title, caption: caption,
      data: "# column, row, percent\n" + Plot.blocks([(title, cells)]),
      commands: [
        "set nokey", "unset grid", "set border 0", "set tics scale 0", "set xlabel '\(across)'",
        "set xrange [-0.5:\(Double(columns) - 0.5)]", "set yrange [\(Double(rows.count) - 0.5):-0.5]",
        "set xtics 1", "set ytics (\(names))", "part(p, full) = int(255 - p / 100.0 * (255 - full))",
        "shade(p) = p == p ? 65536 * part(p, 90) + 256 * part(p, 170) + part(p, 235) : 0xffffff",
        "set style fill solid noborder",
        "plot '\(file).dat' using 1:2:(0.48):(0.46):(shade($3)) with boxxyerror linecolor rgb variable, \\\n  '' using 1:2:($3 == $3 && $3 > 0 ? sprintf($3 < 9.95 ? '%.1f' : '%.0f', $3) : '') with labels textcolor rgb '#1a1a1a'",
      ], size: (max(420, 200 + 48 * columns), 120 + 30 * rows.count), task: task)
  }
}
