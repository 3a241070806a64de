/// Whether gradients reach a network's layers: trainability.csv.
enum GradientPlots {
  /// A plot for each moment, before and after training, and each kernel.
  static func plots(_ data: ReportData) -> [Plot] {
    // The pictures share one scale.
    let all = data.rows("trainability").compactMap { $0.number("norm") }.filter { $0 > 0 }
    guard let low = all.min(), let high = all.max() else { return [] }
    return grouped(data.rows("trainability"), by: ["kernel", "when"]).compactMap { key, rows -> Plot? in
      let series = grouped(rows, by: ["model", "shortcut"]).map { name, rows in
        (
          name: name.replacingOccurrences(of: ", ", with: ", shortcut "),
          rows: rows.compactMap { row -> [Double]? in
            guard let index = row.number("index"), let norm = row.number("norm"), norm > 0 else { return nil }
            return [index, norm]
          }.sorted { $0[0] < $1[0] }
        )
      }.filter { !$0.rows.isEmpty }
      guard !series.isEmpty else { return nil }
      let file = "gradients-\(Plot.slug(key))"
      let parts = series.indices.map { index in
        "\(index == 0 ? "'\(file).dat'" : "''") index \(index) using 1:2 with lines linewidth 2 \(Plot.color(index)) \(Plot.dashes(index)) title \(Escape.gnuplot(series[index].name))"
      }
      return Plot(
        name: file, title: "Gradients by layer: \(key)",
        caption:
          "The norm of the loss's gradient to each layer's weights, first layer on the left. All kernels share the logarithmic axis. A layer whose gradient is many orders of magnitude below the others does not learn.",
        data: Plot.blocks(series),
        commands: [
          "set logscale y", "set yrange [\(low / 2):\(high * 2)]", "set format y '%.0e'",
          "set xlabel 'layer'", "set ylabel 'norm of the gradient'",
          "plot " + parts.joined(separator: ", \\\n  "),
        ])
    }
  }
}
