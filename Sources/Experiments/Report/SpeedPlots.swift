/// What operators.csv and layers.csv show.
enum SpeedPlots {
  static func plots(_ data: ReportData) -> [Plot] {
    ([roofline(data)] + kernelSizes(data) + layers(data)).compactMap { $0 }
  }

  /// Speed against operations per byte, below the roofs that the machine sets (Williams et al., 2009,
  /// DOI 10.1145/1498765.1498785).
  private static func roofline(_ data: ReportData) -> Plot? {
    guard let machine = data.machine, machine.peakGflopsPerThread > 0, machine.bandwidthGBPerSecond > 0 else {
      return nil
    }
    let all = data.rows("operators").filter { $0["pass"] == "forward" }
    let rows = all.filter { $0["status"] == "ok" }
    let threads = rows.compactMap { $0.number("threads") }.max() ?? 1
    let points = grouped(rows, by: ["kernel"]).compactMap {
      kernel, rows -> (String, [[Double]], problems: [String])? in
      // The first algorithm of each problem is the one that is chosen.
      let found = grouped(rows, by: ["problem"]).compactMap { problem, rows -> ([Double], String)? in
        guard let row = rows.first, let speed = row.number("gflops"), let bytes = row.number("bytes"),
          let median = row.number("time_ms_median"), bytes > 0, speed > 0
        else { return nil }
        return ([speed * median * 1e6 / bytes, speed], "\(problem)\n\(row["algorithm"] ?? "")")
      }
      return found.isEmpty ? nil : (kernel, found.map(\.0), found.map(\.1))
    }
    guard !points.isEmpty else { return nil }
    let wrong = Set(all.filter { $0["status"] == "wrong" }.compactMap { $0["kernel"] })
    let absent = grouped(rows, by: ["kernel"]).map(\.key).filter { kernel in
      !points.contains { $0.0 == kernel }
    }
    let missing =
      (absent.isEmpty
        ? "" : " Not shown, because they have no operations: \(absent.joined(separator: ", ")).")
      + (wrong.isEmpty
        ? ""
        : " Left out where they disagree with their definition: \(wrong.sorted().joined(separator: ", ")).")
    let intensities = points.flatMap { $0.1.map { $0[0] } }, speeds = points.flatMap { $0.1.map { $0[1] } }
    let peak = machine.peakGflopsPerThread * threads, bandwidth = machine.bandwidthGBPerSecond
    let ridge = peak / bandwidth
    let left = min(intensities.min() ?? 1, ridge) / 2, right = max(intensities.max() ?? 1, ridge) * 2
    let bottom = min(speeds.min() ?? 1, peak) / 2, top = max(speeds.max() ?? 1, peak) * 2
    let roof = [[left, bandwidth * left], [ridge, peak], [right, peak]]
    let size = (width: 760, height: 460)
    let frame = Frame(
      size: size, x: .init(first: left, last: right, isLogarithmic: true),
      y: .init(first: bottom, last: top, isLogarithmic: true))
    // Each kernel is named at its fastest point.
    let names = PointLabels(
      points.map { kernel, found, _ in
        let fastest = found.max { $0[1] < $1[1] } ?? [1, 1], place = frame.pixel(fastest[0], fastest[1])
        return PointLabels.Item(name: kernel, x: place.x, y: place.y, low: place.y, high: place.y)
      }, in: frame)
    let spots = points.flatMap { kernel, found, problems in
      zip(found, problems).map { point, problem in
        Spot(
          frame, point[0], point[1],
          "\(kernel)\n\(Cell.rounded(point[1], digits: 3)) GFLOP/s, \(Cell.rounded(point[0], digits: 3)) operations per byte\n\(problem)"
        )
      }
    }
    var parts = [
      "'roofline.dat' index \(points.count) using 1:2 with lines linecolor rgb '#8A8A8A' linewidth 2"
    ]
    for (index, point) in points.enumerated() {
      let look = Plot.points(data.kernels.firstIndex(of: point.0) ?? index)
      parts.append("'' index \(index) using 1:2 with points \(look)")
    }
    return Plot(
      name: "roofline", title: "Roofline: every operator against this machine's peak and bandwidth",
      caption:
        "Forward passes, each problem with the algorithm chosen for it; a kernel is named at its fastest point. Grey roofs: the measured peak of \(Cell.number(threads)) thread\(threads == 1 ? "" : "s") (\(Cell.fixed(peak, decimals: 0)) GFLOP/s), and one thread's copy bandwidth (\(Cell.fixed(bandwidth, decimals: 1)) GB/s). Operations are those of the plain definition, so Winograd's algorithm can exceed the peak; data that stay in the caches can exceed the bandwidth.\(missing)",
      data: Plot.blocks(points.map { ($0.0, $0.1) } + [("roofs", roof)]),
      commands: frame.commands + names.commands + [
        "set nokey", "set logscale xy", frame.x.range("x"), frame.y.range("y"),
        "set xlabel 'operations per byte'", "set ylabel 'GFLOP/s'",
        "plot " + parts.joined(separator: ", \\\n  "),
      ], size: size, spots: spots)
  }

  /// Time against the extent of the window, for what was timed with at least three.
  private static func kernelSizes(_ data: ReportData) -> [Plot] {
    let rows = data.rows("operators").filter { $0["status"] == "ok" && $0.number("time_ms_median") != nil }
    return grouped(rows, by: ["group", "pass", "batch", "c_in", "c_out", "h", "w", "stride", "dilation"])
      .compactMap { _, rows -> Plot? in
        let several = Set(rows.compactMap { $0["kernel"] }).count > 1
        let series = grouped(rows, by: several ? ["kernel", "algorithm"] : ["algorithm"]).map { key, rows in
          (
            name: key,
            rows: rows.compactMap { row -> [Double]? in
              guard let size = row.number("kh"), let time = row.number("time_ms_median") else { return nil }
              return [size, time, row.number("time_ms_mad") ?? 0]
            }.sorted { $0[0] < $1[0] }
          )
        }.filter { series in Set(series.rows.map { $0[0] }).count >= 3 }
        guard let first = rows.first, !series.isEmpty else { return nil }
        let sizes = Set(series.flatMap { $0.rows.map { $0[0] } }).sorted()
        let times = series.flatMap { $0.rows.map { $0[1] } }
        let place =
          "\(first["c_in"] ?? "") → \(first["c_out"] ?? "") channels at \(first["h"] ?? "")×\(first["w"] ?? ""), \(first["pass"] ?? "")"
        let file = "kernel-size-\(Plot.slug(place + " " + (first["group"] ?? "")))"
        let size = (width: 760, height: 440)
        var frame = Frame(
          size: size, x: .init(first: (sizes.first ?? 1) - 1, last: (sizes.last ?? 1) + 1),
          y: .init(first: (times.min() ?? 1) / 1.5, last: (times.max() ?? 1) * 1.5, isLogarithmic: true))
        frame.right = Frame.room(for: series.map(\.name)) + 30
        let spots = series.flatMap { name, rows in
          rows.map { row in
            Spot(
              frame, row[0], row[1],
              "\(name)\n\(Cell.number(row[0]))×\(Cell.number(row[0])): \(Cell.rounded(row[1], digits: 3)) ms")
          }
        }
        let parts = series.indices.map { index in
          "\(index == 0 ? "'\(file).dat'" : "''") index \(index) using 1:2 with linespoints \(Plot.points(index)) linewidth 1.5 title \(Escape.gnuplot(series[index].name))"
        }
        return Plot(
          name: file, title: "Time against window size: \(place)",
          caption:
            "Medians; \(first["threads"] ?? "") threads, batch \(first["batch"] ?? ""). Where two lines cross, the other algorithm becomes the faster one.",
          data: Plot.blocks(series),
          commands: frame.commands + [
            "set logscale y", "set xlabel 'window k of k×k, pixels'", "set ylabel 'time, ms'",
            frame.y.range("y"), frame.x.range("x"),
            sizes.count <= 16
              ? "set xtics (\(sizes.map { Cell.number($0) }.joined(separator: ", ")))" : "set xtics autofreq",
            "plot " + parts.joined(separator: ", \\\n  "),
          ], size: size, spots: spots)
      }
  }

  /// The time of each layer: layers.csv.
  private static func layers(_ data: ReportData) -> [Plot] {
    grouped(data.rows("layers"), by: ["group", "model", "replace", "data"]).flatMap { _, rows in
      // One scale for all kernels of a network, so that pictures can be laid side by side.
      let longest = rows.filter { $0["layer"] != "total" }.compactMap { $0.number("ms") }.max() ?? 1
      return grouped(rows, by: ["group", "model", "replace", "data", "kernel"]).compactMap {
        layers($0, $1, longest)
      }
    }
  }

  private static func layers(_ key: String, _ rows: [ReportData.Row], _ longest: Double) -> Plot? {
    let found = rows.filter { $0["layer"] != "total" }.compactMap { row in
      row.number("ms").map { (row["layer"] ?? "", $0) }
    }
    guard !found.isEmpty, found.count <= 400 else { return nil }
    let file = "layers-\(Plot.slug(key))"
    let labels = found.enumerated().map { "\(Escape.gnuplotTick($1.0)) \($0)" }.joined(separator: ", ")
    let size = (width: 760, height: 120 + 18 * found.count)
    var frame = Frame(
      size: size, x: .init(first: 0, last: longest > 0 ? longest * 1.03 : 1),
      y: .init(first: Double(found.count), last: -1))
    frame.left = Frame.room(for: found.map(\.0))
    let spots = found.enumerated().map { place, layer in
      Spot(frame, layer.1, Double(place), "\(layer.0)\n\(Cell.rounded(layer.1, digits: 3)) ms")
    }
    return Plot(
      name: file, title: "Time of each layer: \(key)",
      caption:
        "One image in inference, first layer at the top. All kernels of a network have the same scale.",
      data: Plot.blocks([(key, found.enumerated().map { [Double($0), $1.1] })]),
      commands: frame.commands + [
        "set nokey", "set style fill solid 0.9", "set boxwidth 0.7", "set xlabel 'time, ms'",
        frame.x.range("x"), frame.y.range("y"), "set ytics (\(labels))",
        "set offsets 0, 0, 0, 0",
        "plot '\(file).dat' using (0):0:(0):2:($0-0.35):($0+0.35) with boxxyerror \(Plot.color(0))",
      ], size: size, spots: spots)
  }
}
