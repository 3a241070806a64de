/// Pictures of networks.csv with several data sets: a map of all differences to standard, and the accuracies of each
/// data set.
enum TaskPlots {
  static func plots(_ data: ReportData) -> [Plot] { maps(data) + intervals(data) }

  /// The colours of the map are deepest at this difference, in points.
  private static let deepest = 20.0

  /// The data sets of networks.csv, in its order.
  static func tasks(_ data: ReportData) -> [String] {
    data.rows("networks").compactMap { $0["data"] }.filter { !$0.isEmpty }.uniqued()
  }

  /// Kernels × data sets, for each model and group that was trained on several. Groups that have a data set each are one
  /// comparison.
  private static func maps(_ data: ReportData) -> [Plot] {
    let rows = data.rows("networks").filter { $0.number("top1_mean") != nil }
    let groups = grouped(rows, by: ["group"]).map { Set($0.rows.map { $0["data"] ?? "" }) }
    let isByTask = groups.allSatisfy { $0.count == 1 } && Set(groups).count == groups.count
    return grouped(rows, by: (isByTask ? [] : ["group"]) + ["model", "replace"]).compactMap { key, rows in
      let tasks = rows.map { $0["data"] ?? "" }.uniqued()
      let named = rows.map { $0["kernel"] ?? "" }.uniqued()
      // The differences are those from standard, whose row shows what there is to gain.
      let kernels = named.filter { $0 == "standard" } + named.filter { $0 != "standard" }
      return tasks.count > 1 && kernels.count > 1 && kernels[0] == "standard"
        ? map(key, rows, kernels, tasks) : nil
    }
  }

  /// Data sets by what tells them apart: without their options, if no two would then have one name.
  private static func short(_ tasks: [String]) -> [String] {
    let names = tasks.map { String($0.prefix { $0 != ":" }) }
    return Set(names).count == names.count ? names : tasks
  }

  /// The marks of verdicts, which need no colour, by their numbers in the data: none, open, equivalent, worse, better.
  private static let marks = ["", "?", "=", "▼", "▲"]

  /// The mark of a verdict.
  static func mark(_ verdict: Verdict) -> String { marks[Int(number(verdict))] }

  private static func number(_ verdict: Verdict?) -> Double {
    switch verdict {
    case nil: 0
    case .open: 1
    case .equivalent: 2
    case .worse: 3
    case .better: 4
    }
  }

  private static func map(
    _ key: String, _ rows: [ReportData.Row], _ kernels: [String], _ tasks: [String]
  ) -> Plot {
    let file = "differences-\(Plot.slug(key))"
    let cells = rows.compactMap { row -> [Double]? in
      guard let x = tasks.firstIndex(of: row["data"] ?? ""),
        let y = kernels.firstIndex(of: row["kernel"] ?? ""),
        let difference = row.number("top1_difference"), row.number("top1_difference_low95") != nil
      else { return nil }
      return [Double(x), Double(y), difference, number(Verdict(rawValue: row["verdict"] ?? ""))]
    }
    // The accuracies of standard, which show what there is to gain.
    let yardstick = rows.compactMap { row -> [Double]? in
      guard row["kernel"] == kernels[0], let x = tasks.firstIndex(of: row["data"] ?? ""),
        let accuracy = row.number("top1_mean")
      else { return nil }
      return [Double(x), 0, accuracy]
    }
    func tics(_ names: [String]) -> String {
      names.enumerated().map { "\(Escape.gnuplotTick($1)) \($0)" }.joined(separator: ", ")
    }
    let ink = "textcolor rgb '#1a1a1a'"
    return Plot(
      name: file, title: "Differences to \(kernels[0]): \(key)",
      caption:
        "Differences in test accuracy to \(kernels[0]), in points; the first row is the accuracy of \(kernels[0]) in percent. ▲ better (blue), ▼ worse (orange), darker up to \(Cell.number(deepest)) points; = equivalent; ? open (grey); corrected within each column. No mark: too few seeds. Empty: not trained.",
      data: "# column, row, difference in points, verdict (0 none, 1 open, 2 equivalent, 3 worse, 4 better)\n"
        + Plot.blocks([("differences", cells), (kernels[0], yardstick)]),
      commands: [
        "set nokey", "unset grid", "set border 0", "set tics scale 0",
        "set xrange [-0.5:\(Double(tasks.count) - 0.5)]", "set yrange [\(Double(kernels.count) - 0.5):-0.5]",
        "set xtics rotate by 30 right (\(tics(short(tasks))))", "set ytics (\(tics(kernels)))",
        "t(d) = abs(d) > \(deepest) ? 1.0 : 0.25 + 0.75 * abs(d) / \(deepest)",
        "part(d, full) = int(255 - t(d) * (255 - full))",
        "colour(d) = d < 0 ? 65536 * part(d, 235) + 256 * part(d, 160) + part(d, 60) : 65536 * part(d, 90) + 256 * part(d, 170) + part(d, 235)",
        "shade(d, v) = v > 2 ? colour(d) : v == 2 ? 0xdff0d8 : 0xf0f0f0",
        "mark(v) = \(marks.enumerated().dropFirst().reversed().reduce("''") { "v == \($1.offset) ? '\($1.element)' : \($0)" })",
        "set style fill solid noborder",
        "plot '\(file).dat' index 0 using 1:2:(0.48):(0.46):(shade($3, $4)) with boxxyerror linecolor rgb variable, \\\n  '' index 0 using 1:2:(sprintf('%+.1f %s', $3, mark($4))) with labels \(ink), \\\n  '' index 1 using 1:2:(sprintf('%.1f %%', $3)) with labels",
      ], size: (width(tasks, kernels), 110 + 26 * kernels.count))
  }

  /// The width of a map, which fits into a README where there are about ten data sets.
  private static func width(_ tasks: [String], _ kernels: [String]) -> Int {
    60 + 7 * (kernels.map(\.count).max() ?? 0) + 76 * tasks.count
  }

  /// The accuracy of each kernel on a data set, with its interval.
  private static func intervals(_ data: ReportData) -> [Plot] {
    let rows = data.rows("networks").filter { $0.number("top1_mean") != nil }
    return grouped(rows, by: ["group", "model", "replace", "data"]).compactMap { key, rows in
      guard rows.count > 1, rows.contains(where: { $0.number("top1_low95") != nil }) else { return nil }
      let file = "intervals-\(Plot.slug(key))"
      let axis = AccuracyAxis(
        rows.compactMap { $0.number("top1_mean") }, intervals: rows.compactMap { $0.number("top1_ci95") })
      let blocks = rows.enumerated().map { index, row -> (name: String, rows: [[Double]]) in
        let mean = row.number("top1_mean") ?? 0
        return (
          row["kernel"] ?? "",
          [
            [
              axis.place(mean), Double(index), axis.place(row.number("top1_low95") ?? mean),
              axis.place(row.number("top1_high95") ?? mean), mean,
            ]
          ]
        )
      }
      let size = (width: 760, height: 120 + 26 * rows.count)
      var frame = Frame(
        size: size, x: axis.ends, y: .init(first: Double(rows.count) - 0.5, last: -0.5))
      frame.left = Frame.room(for: rows.map { ($0["kernel"] ?? "") + " ▲" })
      let spots = rows.enumerated().map { index, row in
        Spot(
          frame, axis.place(row.number("top1_mean") ?? 0), Double(index),
          [
            row["kernel"] ?? "", "\(Cell.accuracy(row) ?? "") % top-1",
            Cell.difference(row).map { "\($0) points compared with standard" } ?? "", row["verdict"] ?? "",
          ].filter { !$0.isEmpty }.joined(separator: "\n"))
      }
      let names = rows.enumerated().map { index, row in
        let mark = marks[Int(number(Verdict(rawValue: row["verdict"] ?? "")))]
        let name = (row["kernel"] ?? "") + (mark.isEmpty ? "" : " \(mark)")
        return "\(Escape.gnuplotTick(name)) \(index)"
      }
      let parts = rows.enumerated().map { index, row in
        "\(index == 0 ? "'\(file).dat'" : "''") index \(index) using 1:2:3:4 with xerrorbars \(Plot.points(data.kernels.firstIndex(of: row["kernel"] ?? "") ?? index)) linewidth 1.5 notitle"
      }
      return Plot(
        name: file, title: "Accuracies: \(key)",
        caption:
          "Mean test accuracy with its 95 % interval, over seeds and test images. Compared with standard: ▲ better, ▼ worse, = equivalent, ? open.",
        data: "# accuracy on the axis, row, low, high; then the accuracy\n" + Plot.blocks(blocks),
        commands: axis.commands("x") + frame.commands + [
          "set nokey", frame.y.range("y"),
          "set ytics (\(names.joined(separator: ", ")))",
          "plot " + parts.joined(separator: ", \\\n  "),
        ], size: size, task: rows.first?["data"], spots: spots)
    }
  }
}
