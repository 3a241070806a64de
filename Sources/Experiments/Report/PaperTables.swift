import Tensors

/// The tables of a report as Markdown and LaTeX.
enum PaperTables {
  /// A table for readers: a title, a caption, and cells of some of a file's columns.
  struct Table {
    var title: String
    var caption = ""
    /// Where it is from, if that is known.
    var origin: String?
    var header: [String]
    var rows: [[String]]
    /// The columns, by number, that hold words.
    var words: Set<Int>
  }

  /// networks.csv and operators.csv with the columns that readers compare; columns that say the same in every row are
  /// left out, or said in the caption.
  static func tables(_ data: ReportData) -> [Table] {
    let rows = data.rows("networks")
    var networks = table(
      "Networks", rows.map(forReaders),
      [
        ("group", "group"), ("model", "model"), ("replace", "replace"), ("data", "data"),
        ("kernel", "kernel"),
        ("params", "parameters"), ("macs", "MACs"), ("adds", "additions"),
        ("latency_ms_median", "latency, ms"),
        ("speedup_vs_standard", "speed-up"), ("energy_uj", "energy, µJ"), ("top1", "top-1, % (95 %)"),
        ("difference", "difference, points (95 %)"), ("p_better", "P(A > B)"), ("verdict", "verdict"),
      ])
    networks.caption = caption(rows)
    var operators = table(
      "Operators", data.rows("operators").filter { ["ok", "wrong"].contains($0["status"]) }.map(forReaders),
      [
        ("group", "group"), ("problem", "problem"), ("pass", "pass"), ("kernel", "kernel"),
        ("algorithm", "algorithm"), ("time_ms_median", "time, ms"), ("gflops", "GFLOP/s"),
        ("speedup_vs_standard", "speed-up"), ("max_rel_error", "error"),
      ])
    operators.caption =
      "Times are medians. The speed-up is standard's time over the operator's, in the same rounds; operators that join few or no channels, such as shift and depthwise, do less work than standard. The error is the largest difference from the definition in double precision, relative to its largest value."
    var proxies = table(
      "Proxies", data.rows("proxy_quality").filter { $0.number("kendall_tau") != nil },
      [
        ("scope", "scope"), ("group", "group"), ("model", "model"), ("replace", "replace"), ("data", "data"),
        ("proxy", "proxy"), ("sets", "sets"), ("networks", "networks"),
        ("kendall_tau", "Kendall's τ"),
        ("kendall_tau_low95", "from"), ("kendall_tau_high95", "to"), ("spearman_rho", "Spearman's ρ"),
        ("spearman_rho_low95", "from"), ("spearman_rho_high95", "to"),
      ])
    proxies.caption =
      "Rank correlation of each proxy with the trained accuracy, within sets of networks that differ in their kernel only, with 95 % bootstrap intervals over the networks of a set."
    let files = ["networks", "operators", "proxy_quality"]
    return zip([networks, operators, proxies], files).filter { !$0.0.rows.isEmpty }.map { table, file in
      var table = table
      table.origin = data.origin(file)
      return table
    }
  }

  /// What applies to all networks, and what the last columns mean.
  private static func caption(_ rows: [ReportData.Row]) -> String {
    func shared(_ column: String, _ text: (String) -> String) -> [String] {
      let values = Set(rows.filter { $0["status"] == "ok" }.map { $0[column] ?? "" })
      return values.count == 1 && values != [""] ? values.map(text) : []
    }
    func counted(_ column: String, _ noun: String) -> [String] {
      shared(column) { "\($0) \(noun)\($0 == "1" ? "" : "s")" }
    }
    let setting =
      shared("model") { $0 } + shared("replace") { "replace \($0)" } + shared("data") { $0 }
      + counted("epochs", "epoch") + counted("seeds", "seed") + counted("test_images", "test image")
    var sentences = setting.isEmpty ? [] : [setting.joined(separator: ", ") + "."]
    if rows.contains(where: { $0.number("top1_mean") != nil }) {
      sentences.append(
        "Top-1: mean over seeds with its 95 % interval, over seeds and test images.")
    }
    if rows.contains(where: { $0.number("p_better") != nil }) {
      sentences.append(
        "P(A > B): the probability that a new training is more accurate than one of standard, on new images.")
    }
    let margin = rows.compactMap { $0.number("margin") }.first ?? Verdict.margin
    if rows.contains(where: { Verdict(rawValue: $0["verdict"] ?? "") != nil }) {
      sentences.append(
        "Verdict: compared with standard, at 5 % after Holm's correction within a model and data set; equivalent: within \(Cell.number(margin)) point\(margin == 1 ? "" : "s"); open: these data cannot decide."
      )
    }
    return sentences.joined(separator: " ")
  }

  /// Numbers as readers need them: counts in groups of digits, measurements to three digits.
  private static func forReaders(_ row: ReportData.Row) -> ReportData.Row {
    var result = row
    for column in ["params", "macs", "adds"] {
      if let count = row[column].flatMap({ Int($0) }) { result[column] = Cell.grouped(count) }
    }
    for column in ["latency_ms_median", "speedup_vs_standard", "energy_uj", "time_ms_median", "gflops"] {
      if let value = row.number(column) { result[column] = Cell.rounded(value, digits: 3) }
    }
    if let error = row.number("max_rel_error") { result["max_rel_error"] = Cell.number(error, digits: 1) }
    if row["status"] == "wrong" {
      let error = result["max_rel_error"] ?? ""
      result["max_rel_error"] = error.isEmpty ? "wrong" : "\(error) wrong"
    }
    result["top1"] = Cell.accuracy(row)
    result["difference"] = Cell.difference(row)
    if let share = row.number("p_better") { result["p_better"] = Cell.fixed(share, decimals: 2) }
    return result
  }

  private static func table(
    _ title: String, _ rows: [ReportData.Row], _ columns: [(column: String, name: String)]
  ) -> Table {
    let words = [
      "group", "model", "replace", "data", "kernel", "problem", "pass", "algorithm", "proxy", "scope",
      "verdict",
    ]
    let kept = columns.filter { column, _ in
      let values = Set(rows.map { $0[column] ?? "" })
      return column == "kernel" || (words.contains(column) ? values.count > 1 : values != [""])
    }
    return Table(
      title: title, header: kept.map(\.name), rows: rows.map { row in kept.map { row[$0.column] ?? "" } },
      words: Set(kept.indices.filter { words.contains(kept[$0].column) }))
  }

  /// GitHub's form of Markdown.
  static func markdown(_ table: Table) -> String {
    func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }
    let rule = table.header.indices.map { table.words.contains($0) ? "---" : "---:" }
    let notes = [table.origin ?? "", table.caption].filter { !$0.isEmpty }.map {
      Escape.markdown($0) + "\n\n"
    }
    return "## \(table.title)\n\n" + notes.joined() + line(table.header.map(Escape.markdown))
      + "|\(rule.joined(separator: "|"))|\n"
      + table.rows.map { line($0.map(Escape.markdown)) }.joined()
  }

  /// LaTeX, for the package booktabs.
  static func latex(_ table: Table) -> String {
    func line(_ cells: [String]) -> String { "  \(cells.map(Escape.latex).joined(separator: " & ")) \\\\\n" }
    let columns = table.header.indices.map { table.words.contains($0) ? "l" : "r" }.joined()
    let origin = table.origin.map { "% \($0.onOneLine)\n" } ?? ""
    return origin + """
      % \(table.title); needs \\usepackage{booktabs}
      \\begin{table}
      \\caption{\(Escape.latex(table.caption))}
      \\centering
      \\begin{tabular}{\(columns)}
        \\toprule
      \(line(table.header))  \\midrule
      \(table.rows.map(line).joined())  \\bottomrule
      \\end{tabular}
      \\end{table}

      """
  }
}
