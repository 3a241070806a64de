import Foundation

/// networks.csv as text: a table, and a line for the meaning of each column. On a narrow terminal the least important
/// columns are left out.
package struct NetworkSummary {
  private let rows: [ReportData.Row]
  private let operators: [ReportData.Row]

  /// A summary of networks.csv and, where there is one, operators.csv.
  package init(networks: CSVTable, operators: CSVTable? = nil) {
    rows = networks.rows
    // One that is wrong has been timed, and is marked.
    self.operators = (operators?.rows ?? []).filter { ["ok", "wrong"].contains($0["status"] ?? "") }
  }

  /// A column: what it means in a line, and how readily it is left out; 0 and 1 are not.
  private struct SummaryColumn {
    let head: String, rank: Int, meaning: String
    let cell: (ReportData.Row) -> String?
  }

  /// The summary in lines of at most `width` characters.
  package func text(width: Int = Terminal.width(STDOUT_FILENO)) -> String {
    let all = columns.filter { column in rows.contains { column.cell($0) != nil } }
    var kept = all
    // Long names are cut first, and short ones only where nothing is left to leave out.
    let longest = rows.map { ($0["kernel"] ?? "").count }.max() ?? 0
    var nameWidth = longest
    func excess() -> Int { self.table(kept, nameWidth: nameWidth).width - width }
    if excess() > 0 { nameWidth = max(min(longest, 24), longest - excess()) }
    while excess() > 0, let last = kept.map(\.rank).max(), last > 1 { kept.removeAll { $0.rank == last } }
    if excess() > 0 { nameWidth = max(8, nameWidth - excess()) }
    let shown = table(kept, nameWidth: nameWidth)
    var lines = kept.filter { !$0.meaning.isEmpty }.map {
      $0.head.padding(toLength: 14, withPad: " ", startingAt: 0) + "  " + $0.meaning
    }
    if kept.contains(where: { $0.head == "top-1 % (95 %)" }) {
      lines.append("top-1 %         test accuracy \(trained)")
      if rows.contains(where: { $0.number("top1_ci95") != nil }) {
        lines.append("(95 %)          its interval, over seeds and test images")
      }
    }
    if isAnyChannelwise {
      lines.append("*               joins few or no channels, so it does less work than standard")
    }
    if kept.contains(where: { $0.head == "verdict" }) {
      lines += verdictLines
    } else if rows.contains(where: { $0.number("top1_mean") != nil }) {
      lines.append("One seed gives no interval and no verdict.")
    }
    let missing = all.filter { column in !kept.contains { $0.head == column.head } }.map(\.head)
    if !missing.isEmpty {
      lines.append(Terminal.wrapped("Columns left out here: \(missing.joined(separator: ", ")).", to: width))
    }
    var seen = Set<String>()
    for row in rows {
      guard let remark = row["remark"], !remark.isEmpty, let kernel = row["kernel"],
        seen.insert("\(kernel): \(remark)").inserted
      else { continue }
      lines.append(Terminal.wrapped("\(kernel): \(remark)", to: width))
    }
    return "\(Terminal.wrapped(title, to: width))\n\n\(shown.text)\n\n" + lines.joined(separator: "\n")
  }

  private func table(_ columns: [SummaryColumn], nameWidth: Int) -> TextTable {
    let words = columns.indices.filter { columns[$0].rank == 0 || columns[$0].head == "verdict" }
    var table = TextTable(columns.map(\.head), left: Set(words))
    for row in rows {
      table.append(
        columns.map { column in
          let text = column.cell(row) ?? (row["status"] == "ok" ? "" : "–")
          return column.head == "kernel" ? Terminal.shortened(text, to: nameWidth) : text
        })
    }
    return table
  }

  /// Whether rows differ in a column.
  private func differ(_ column: String) -> Bool { Set(rows.map { $0[column] ?? "" }).count > 1 }

  /// How often and how long was trained.
  private var trained: String {
    let epochs = range("epochs"), seeds = range("seeds")
    // Without a validation split no epoch can be chosen.
    let isChosen = epochs != "1" && rows.contains { $0.number("best_epoch_mean") != nil }
    let when = isChosen ? "at the best of \(epochs)" : "after \(epochs)"
    return
      "\(when) epoch\(epochs == "1" ? "" : "s"), mean of \(seeds) seed\(seeds == "1" ? "" : "s")"
  }

  /// What all rows share.
  private var title: String {
    guard let row = rows.first else { return "No networks." }
    let model = differ("model") ? "Several models" : row["model"] ?? ""
    let data = differ("data") ? "" : " on \(row["data"] ?? "")"
    let replaced = row["replace"] == "all" ? "every convolution" : "every k×k convolution"
    return model + data + (differ("replace") ? "" : ": the kernel replaces \(replaced) but the stem")
  }

  private var columns: [SummaryColumn] {
    let timed = rows.contains { !own($0).isEmpty }
    let work = convolutions
    func count(_ column: String) -> (ReportData.Row) -> String? {
      { $0[column].flatMap { Int($0) }.map(Cell.grouped) }
    }
    func number(_ column: String, _ decimals: Int) -> (ReportData.Row) -> String? {
      { $0.number(column).map { Cell.fixed($0, decimals: decimals) } }
    }
    let names = ProxyQuality.setColumns.filter(differ).map { name in
      SummaryColumn(head: name, rank: 0, meaning: "") { $0[name] }
    }
    return names + [
      SummaryColumn(head: "kernel", rank: 0, meaning: "") { $0["kernel"] },
      SummaryColumn(head: "rate", rank: 2, meaning: "the learning rate, chosen on the validation split") {
        row in
        (row["tuned"] ?? "").isEmpty ? nil : row["rate"]
      },
      SummaryColumn(
        head: "width", rank: 2, meaning: "factor on the channels, to match standard's \(matched)"
      ) { row in (row["match"] ?? "").isEmpty ? nil : row["width"] },
      SummaryColumn(head: "params", rank: 3, meaning: "the network's parameters", cell: count("params")),
      SummaryColumn(
        head: "MACs", rank: 5, meaning: "the network's multiply–accumulates for one image",
        cell: count("macs")),
      SummaryColumn(head: "additions", rank: 8, meaning: "beside those in MACs", cell: count("adds")),
      SummaryColumn(
        head: "other", rank: 9, meaning: "other operations: bilinear samples, normalisation and the like",
        cell: count("other_ops")),
      SummaryColumn(
        head: "operator ms", rank: 7, meaning: "sum of the operator's times on \(work)"
      ) { row in sum(own(row)).map { Cell.fixed($0, decimals: 2) } },
      SummaryColumn(
        head: "speed-up", rank: 2,
        meaning: timed
          ? "times as fast as standard, mean of \(work)" : "times as fast as with standard, one image"
      ) { row in
        let speedups = timed ? own(row).compactMap { $0.number("speedup_vs_standard") } : []
        let mean =
          timed
          ? (speedups.isEmpty ? nil : exp(Statistics.mean(speedups.map { log($0) })))
          : row.number("speedup_vs_standard")
        return mean.map {
          Cell.fixed($0, decimals: 2) + "×" + (isChannelwise(row) ? "*" : isAnyChannelwise ? " " : "")
        }
      },
      SummaryColumn(
        head: "error", rank: 6, meaning: "the operator's largest error, relative to its largest value"
      ) {
        let rows = own($0, forwardOnly: false)
        let error = rows.compactMap { $0.number("max_rel_error") }.max().map { Cell.number($0, digits: 1) }
        let mark = rows.contains { $0["status"] == "wrong" } ? "wrong" : nil
        let words = [error, mark].compactMap { $0 }
        return words.isEmpty ? nil : words.joined(separator: " ")
      },
      SummaryColumn(
        head: "image ms", rank: 4, meaning: "the network's time for one image",
        cell: number("latency_ms_median", 2)),
      SummaryColumn(head: "top-1 % (95 %)", rank: 1, meaning: "") { Cell.accuracy($0) },
      SummaryColumn(head: "MSE", rank: 1, meaning: "test error \(trained); ± 95 % by the seeds") {
        Self.withHalf($0, "test_mse", 5)
      },
      SummaryColumn(head: "MAE", rank: 1, meaning: "") { Self.withHalf($0, "test_mae", 4) },
      SummaryColumn(
        head: "beats standard", rank: 6,
        meaning: "how often a new training beats one of standard, on new images"
      ) { $0.number("p_better").map { Cell.fixed(100 * $0, decimals: 0) + " %" } },
      SummaryColumn(head: "verdict", rank: 1, meaning: "") {
        $0["verdict"].flatMap { $0.isEmpty ? nil : $0 }
      },
    ]
  }

  /// What widths were matched by.
  private var matched: String {
    Set(rows.compactMap { $0["match"] }).filter { !$0.isEmpty }.sorted().joined(separator: " or ")
  }

  /// The rows of an operator: forward, those of the algorithm that is chosen by shape, which comes first.
  private func own(_ network: ReportData.Row, forwardOnly: Bool = true) -> [ReportData.Row] {
    let rows = operators.filter {
      $0["kernel"] == network["kernel"] && ($0["group"] ?? "") == (network["group"] ?? "")
    }
    return forwardOnly ? rows.filter { $0["pass"] == "forward" }.uniqued { $0["problem"] ?? "" } : rows
  }

  /// Whether an operator has too few operations to bring every channel to every output: fewer than half of a 1×1
  /// convolution's. Its speed is then not that of a convolution.
  private func isChannelwise(_ network: ReportData.Row) -> Bool {
    let rows = own(network)
    return !rows.isEmpty
      && rows.allSatisfy { row in
        guard let macs = row.number("macs"), let adds = row.number("adds"), let batch = row.number("batch"),
          let h = row.number("h"), let w = row.number("w"), let stride = row.number("stride"),
          let inputs = row.number("c_in"), let outputs = row.number("c_out")
        else { return false }
        return macs + adds < 0.5 * batch * h * w / (stride * stride) * inputs * outputs
      }
  }

  private var isAnyChannelwise: Bool { rows.contains(where: isChannelwise) }

  /// The sum of the medians of an operator's times.
  private func sum(_ rows: [ReportData.Row]) -> Double? {
    let times = rows.compactMap { $0.number("time_ms_median") }
    return times.isEmpty ? nil : times.reduce(0, +)
  }

  /// What the operators were timed on, in words.
  private var convolutions: String {
    let timed = rows.flatMap { own($0) }, threads = timed.first?["threads"] ?? ""
    let windows = Set(timed.map { "\($0["kh"] ?? "")×\($0["kw"] ?? "")" })
    let count = Set(timed.compactMap { $0["problem"] }).count
    return
      "\(count) \(windows.count == 1 ? (windows.first ?? "") + " " : "")convolution\(count == 1 ? "" : "s"),"
      + " \(threads) thread\(threads == "1" ? "" : "s")"
  }

  private static func withHalf(_ row: ReportData.Row, _ measure: String, _ decimals: Int) -> String? {
    guard let mean = row.number("\(measure)_mean") else { return nil }
    let half = row.number("\(measure)_ci95").map { " ± \(Cell.fixed($0, decimals: decimals))" } ?? ""
    return Cell.fixed(mean, decimals: decimals) + half
  }

  /// The numbers of a column: `3`, or `2 to 3` where rows differ.
  private func range(_ column: String) -> String {
    let numbers = rows.filter { $0["status"] == "ok" }.compactMap { $0[column].flatMap { Int($0) } }
    guard let low = numbers.min(), let high = numbers.max() else { return "no" }
    return low == high ? "\(low)" : "\(low) to \(high)"
  }

  private var verdictLines: [String] {
    let halves = rows.compactMap { row in
      row.number("top1_difference_low95").flatMap { low in
        row.number("top1_difference_high95").map { ($0 - low) / 2 }
      }
    }
    let images = range("test_images"), seeds = range("seeds")
    let margin = rows.compactMap { $0.number("margin") }.first ?? Verdict.margin
    let looks = rows.compactMap { $0.number("looks") }.max() ?? 1
    var lines = [
      "better, worse   than standard, significant over seeds and images (5 %, Holm)",
      "equivalent      within \(Cell.number(margin)) point\(margin == 1 ? "" : "s") of standard (5 %, Holm)",
      "open            too few data: \(seeds) seeds and \(images) test images can show differences",
      "                of more than about \(Cell.fixed(Statistics.median(halves), decimals: 1)) points",
    ]
    if let few = rows.compactMap({ $0.number("seeds") }).filter({ $0 > 1 }).min(), few < 5,
      rows.contains(where: { $0["verdict"] == Verdict.open.rawValue })
    {
      lines.append(
        "                fewer than five seeds show only large differences")
    }
    if looks > 1 {
      lines.append(
        "                Verdicts account for \(Cell.number(looks)) looks at the table while seeds are added."
      )
    }
    if rows.contains(where: { $0["top1_images"] == "unpaired" }) {
      lines.append("Some records do not say which images were classified correctly, so intervals are wider.")
    }
    return lines
  }
}
