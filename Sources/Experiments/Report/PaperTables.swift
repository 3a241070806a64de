/// The tables of a report in the forms that papers and pages are written in.
enum PaperTables {
  /// A table for readers: a caption, and cells of some of a file's columns.
  struct Table {
    var title: String
    var header: [String]
    var rows: [[String]]
    /// The columns, by number, that hold words.
    var words: Set<Int>
  }

  /// networks.csv and operators.csv with the columns that readers compare; columns that say the same in every row are
  /// left out.
  static func tables(_ data: ReportData) -> [Table] {
    let networks = table(
      "Networks", data.rows("networks").map(withInterval),
      [
        ("group", "group"), ("model", "model"), ("replace", "replace"), ("data", "data"),
        ("kernel", "kernel"),
        ("params", "parameters"), ("macs", "MACs"), ("adds", "additions"),
        ("latency_ms_median", "latency, ms"),
        ("speedup_vs_standard", "× standard"), ("energy_uj", "energy, µJ"), ("top1", "top-1, %"),
      ])
    let operators = table(
      "Operators", data.rows("operators").filter { $0["status"] == "ok" },
      [
        ("group", "group"), ("problem", "problem"), ("pass", "pass"), ("kernel", "kernel"),
        ("algorithm", "algorithm"), ("time_ms_median", "time, ms"), ("gflops", "GFLOP/s"),
        ("speedup_vs_standard", "× standard"), ("max_rel_error", "error"),
      ])
    let proxies = table(
      "Proxies", data.rows("proxy_quality").filter { $0.number("kendall_tau") != nil },
      [
        ("scope", "scope"), ("group", "group"), ("model", "model"), ("replace", "replace"), ("data", "data"),
        ("proxy", "proxy"), ("sets", "sets"), ("networks", "networks"), ("kendall_tau", "Kendall's τ"),
        ("kendall_tau_low95", "from"), ("kendall_tau_high95", "to"), ("spearman_rho", "Spearman's ρ"),
        ("spearman_rho_low95", "from"), ("spearman_rho_high95", "to"),
      ])
    return [networks, operators, proxies].filter { !$0.rows.isEmpty }
  }

  private static func withInterval(_ row: ReportData.Row) -> ReportData.Row {
    guard let mean = row.number("top1_mean") else { return row }
    let interval = row.number("top1_ci95").map { " ± \(Cell.fixed($0, decimals: 1))" } ?? ""
    return row.merging(["top1": Cell.fixed(mean, decimals: 1) + interval]) { $1 }
  }

  private static func table(
    _ title: String, _ rows: [ReportData.Row], _ columns: [(column: String, name: String)]
  ) -> Table {
    let words = [
      "group", "model", "replace", "data", "kernel", "problem", "pass", "algorithm", "proxy", "scope",
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
    return "## \(table.title)\n\n" + line(table.header.map(Escape.markdown))
      + "|\(rule.joined(separator: "|"))|\n"
      + table.rows.map { line($0.map(Escape.markdown)) }.joined()
  }

  /// LaTeX, for the package booktabs.
  static func latex(_ table: Table) -> String {
    func line(_ cells: [String]) -> String { "  \(cells.map(Escape.latex).joined(separator: " & ")) \\\\\n" }
    let columns = table.header.indices.map { table.words.contains($0) ? "l" : "r" }.joined()
    return """
      % \(table.title); needs \\usepackage{booktabs}
      \\begin{tabular}{\(columns)}
        \\toprule
      \(line(table.header))  \\midrule
      \(table.rows.map(line).joined())  \\bottomrule
      \\end{tabular}

      """
  }
}
