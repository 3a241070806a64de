/// Where trained deformable layers read: offsets.csv, on the image of offsets-image.csv.
enum OffsetPlots {
  /// A plot for each kernel of each model and data set.
  static func plots(_ data: ReportData) -> [Plot] {
    let columns = ["group", "model", "replace", "data", "kernel"]
    return grouped(data.rows("offsets"), by: columns).compactMap { key, rows -> Plot? in
      guard let first = rows.first else { return nil }
      let image = image(
        data.imagePixels.filter { $0["data"] == first["data"] && $0["image"] == first["image"] })
      guard let width = image.first?.count, !image.isEmpty else { return nil }
      var hasMasks = false
      let pixels = grouped(rows, by: ["row", "column"])
      let series = pixels.map { place, rows -> (name: String, rows: [[Double]]) in
        (
          name: "output pixel (\(place))",
          rows: rows.filter { $0.number("offset_group") ?? 0 == 0 }.compactMap { row -> [Double]? in
            guard let gy = row.number("image_grid_y"), let gx = row.number("image_grid_x"),
              let y = row.number("image_y"), let x = row.number("image_x")
            else { return nil }
            let mask = row.number("mask")
            if mask != nil { hasMasks = true }
            return [gx, gy, x - gx, y - gy, x, y, 1.4 * (mask.map { max($0, 0) } ?? 1).squareRoot()]
          }
        )
      }
      let points: [[Double]] = series.flatMap(\.rows)
      guard !points.isEmpty else { return nil }
      let xs: [Double] = points.flatMap { [$0[0], $0[4]] } + [0, Double(width - 1)]
      let ys: [Double] = points.flatMap { [$0[1], $0[5]] } + [0, Double(image.count - 1)]
      let left = (xs.min() ?? 0) - 0.7, right = (xs.max() ?? 0) + 0.7
      let top = (ys.min() ?? 0) - 0.7, bottom = (ys.max() ?? 0) + 0.7
      let file = "offsets-\(Plot.slug(key))"
      let parts = series.indices.flatMap { index -> [String] in
        let color = Plot.color(index), block = "'' index \(index + 1) using"
        return [
          "\(block) 1:2:3:4 with vectors nohead linewidth 1.2 \(color) notitle",
          "\(block) 1:2 with points pointtype 6 pointsize 1.4 linewidth 1.5 \(color) notitle",
          "\(block) 5:6:7 with points pointtype 7 pointsize variable \(color) title \(Escape.gnuplot(series[index].name))",
        ]
      }
      return Plot(
        name: file, title: "Learned positions: \(key)",
        caption:
          "Where \(first["layer"] ?? "a layer") reads for some pixels of its output, drawn on the image: rings are the regular grid, discs the learned positions.\(hasMasks ? " The area of a disc is its mask." : "")",
        data: Plot.blocks([("image", image)] + series),
        commands: [
          "unset grid", "unset colorbox",
          // Neither black nor white, so that the image contrasts with the page.
          "set palette defined (0 '#303030', 1 '#D8D8D8')", "set cbrange [0:1]",
          "set size ratio \((bottom - top) / (right - left))", "set xrange [\(left):\(right)]",
          "set yrange [\(bottom):\(top)]", "set xlabel 'column, pixels'", "set ylabel 'row, pixels'",
          "plot "
            + (["'\(file).dat' index 0 matrix with image pixels notitle"] + parts).joined(
              separator: ", \\\n  "),
        ], size: (640, 440))
    }
  }

  /// The rows of an image; none where pixels are missing.
  private static func image(_ pixels: [ReportData.Row]) -> [[Double]] {
    let rows = grouped(pixels, by: ["row"]).map { $0.rows.compactMap { $0.number("value") } }
    return rows.allSatisfy { $0.count == rows[0].count && !$0.isEmpty } ? rows : []
  }
}
