import Foundation
import Learning

/// What training.csv and receptive fields show.
enum LearningPlots {
  /// Validation accuracy over epochs, or where there was none of every epoch the test accuracy: the mean of the seeds, in a
  /// band from the lowest to the highest. Of a regression, the mean squared error.
  static func curves(_ data: ReportData) -> [Plot] {
    grouped(data.rows("training"), by: ["group", "model", "replace", "data"]).flatMap { key, rows -> [Plot] in
      let isRegression = rows.contains { ($0.number("validation_mse") ?? $0.number("test_mse")) != nil }
      let kind = isRegression ? "mse" : "top1"
      let split = rows.contains { $0.number("validation_\(kind)") != nil } ? "validation" : "test"
      let series = grouped(rows, by: ["kernel"]).map { kernel, rows -> Series in
        let epochs = grouped(rows, by: ["epoch"]).compactMap { _, rows -> [Double]? in
          let values = rows.compactMap { $0.number("\(split)_\(kind)") }
          guard let epoch = rows.first?.number("epoch"), let low = values.min(), let high = values.max()
          else {
            return nil
          }
          return [epoch, Statistics.mean(values), low, high]
        }
        return (kernel, epochs.sorted { $0[0] < $1[0] })
      }
      guard series.contains(where: { $0.rows.count > 1 }) else { return [] }
      // Too many lines hide each other, so there are several pictures, each with the first kernel for comparison.
      let others = Array(series.dropFirst()), most = 6
      let parts = stride(from: 0, to: max(others.count, 1), by: most).map {
        Array(series.prefix(1)) + others[$0..<min($0 + most, others.count)]
      }
      // The pictures have one scale.
      let axis =
        isRegression
        ? AccuracyAxis(errors: series.flatMap { $0.rows.flatMap { $0[1...] } })
        : AccuracyAxis(series.flatMap { $0.rows.map { $0[1] } })
      let epochs = series.flatMap { $0.rows.map { $0[0] } }
      let span = Frame.Axis(first: epochs.min() ?? 1, last: epochs.max() ?? 2)
      return parts.enumerated().map { number, part in
        var plot = curves(
          part, "\(split) \(isRegression ? "mean squared error" : "accuracy")", key,
          parts.count > 1 ? " (\(number + 1) of \(parts.count))" : "", data.kernels, axis,
          span)
        plot.task = rows.first?["data"]
        return plot
      }
    }
  }

  private typealias Series = (name: String, rows: [[Double]])

  private static func curves(
    _ series: [Series], _ measure: String, _ key: String, _ part: String, _ kernels: [String],
    _ axis: AccuracyAxis, _ span: Frame.Axis
  ) -> Plot {
    let size = (width: 760, height: 440)
    var frame = Frame(size: size, x: span, y: axis.ends)
    frame.right = Frame.room(for: series.map(\.name)) + 30
    let spots = series.flatMap { name, rows in
      rows.map { row in
        Spot(
          frame, row[0], axis.place(row[1]),
          "\(name), epoch \(Cell.number(row[0]))\n\(axis.text(row[1])) (seeds from \(axis.text(row[2])) to \(axis.text(row[3])))"
        )
      }
    }
    let file = "curves-\(Plot.slug(key + part))"
    let looks = series.enumerated().map { kernels.firstIndex(of: $0.element.name) ?? $0.offset }
    let bands = series.indices.map { index in
      "\(index == 0 ? "'\(file).dat'" : "''") index \(index) using 1:3:4 with filledcurves fillstyle transparent solid 0.15 noborder \(Plot.color(looks[index])) notitle"
    }
    let lines = series.indices.map { index in
      "'' index \(index) using 1:2 with lines linewidth 2 \(Plot.dashes(looks[index])) \(Plot.color(looks[index])) title \(Escape.gnuplot(series[index].name))"
    }
    return Plot(
      name: file, title: "Training curves: \(key)\(part)",
      caption:
        "The \(measure), as the mean over seeds; the band reaches from the lowest seed to the highest.",
      data: Plot.blocks(
        series.map {
          ($0.name, $0.rows.map { [$0[0], axis.place($0[1]), axis.place($0[2]), axis.place($0[3])] })
        }),
      commands: axis.commands() + frame.commands + [
        "set xlabel 'epoch'", span.range("x"),
        "plot " + (bands + lines).joined(separator: ", \\\n  "),
      ], size: size, spots: spots)
  }

  /// How much each input pixel contributes to the centre of the output.
  static func fields(_ data: ReportData) -> [Plot] {
    data.fields.map { kernel, map in
      let file = "field-\(Plot.slug(kernel))", height = map.rows.count, width = map.rows.first?.count ?? 1
      return Plot(
        name: file, title: "Effective receptive field: \(kernel)",
        caption:
          "The size of the gradient from the centre output pixel to each input pixel, as a share of the largest (Luo et al., 2016, arXiv:1701.04128).",
        data: Plot.blocks([(kernel, map.rows)]),
        commands: [
          "set nokey", "unset grid", "set size ratio \(Double(height) / Double(width))",
          "set xrange [-0.5:\(Double(width) - 0.5)]", "set yrange [\(Double(height) - 0.5):-0.5]",
          "set xlabel 'column, pixels'", "set ylabel 'row, pixels'",
          "set cblabel 'share of the largest gradient'",
          "set cbrange [0:1]",
          // Viridis by five of its colours.
          "set palette defined (0 '#440154', 0.25 '#3B528B', 0.5 '#21918C', 0.75 '#5EC962', 1 '#FDE725')",
          "plot '\(file).dat' matrix with image pixels",
        ], size: (520, 440))
    }
  }
}
