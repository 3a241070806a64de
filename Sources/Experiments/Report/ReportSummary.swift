/// A summary of a folder of results, in sentences.
enum ReportSummary {
  /// More sets than these are left to the table.
  private static let most = 20

  /// A paragraph for each set of networks that are compared, and one for the proxies.
  static func paragraphs(_ data: ReportData) -> [String] {
    let rows = data.rows("networks").filter { $0["status"] ?? "ok" == "ok" }
    let sets = grouped(rows, by: ProxyQuality.setColumns).filter { $0.rows.count > 1 }
    let said = sets.prefix(most).compactMap { key, rows -> String? in
      let sentences = accuracy(rows) + error(rows) + costs(rows)
      return sentences.isEmpty
        ? nil : (key.isEmpty ? "" : "\(key): ") + sentences.joined(separator: " ")
    }
    let rest =
      sets.count > most ? ["\(sets.count - most) more sets of networks are in the table below."] : []
    return said + rest + proxies(data)
  }

  /// How the others compare with standard.
  private static func accuracy(_ rows: [ReportData.Row]) -> [String] {
    let trained = rows.filter { $0.number("top1_mean") != nil }
    guard trained.count > 1, let standard = yardstick(trained), let accuracy = Cell.accuracy(standard) else {
      return []
    }
    let first = "\(name(standard)) classifies \(percent(accuracy)) of the test images correctly."
    let verdicts = trained.filter { Verdict(rawValue: $0["verdict"] ?? "") != nil }
    guard !verdicts.isEmpty else {
      let best = trained.max { ($0.number("top1_mean") ?? 0) < ($1.number("top1_mean") ?? 0) }
      let most = best.map {
        "The highest mean is that of \(name($0)), \(percent(Cell.accuracy($0) ?? ""))."
      }
      return [first, most, "There are too few seeds for a verdict."].compactMap { $0 }
    }
    let parts: [(Verdict, String)] = [
      (.better, "Better"), (.worse, "Worse"), (.equivalent, "Equivalent"), (.open, "Open"),
    ]
    let lists = parts.compactMap { verdict, word -> String? in
      let found = verdicts.filter { $0["verdict"] == verdict.rawValue }
      guard !found.isEmpty else { return nil }
      return "\(word): "
        + list(
          found.map { row in
            name(row)
              + (verdict == .open
                ? ""
                : row.number("top1_difference").map { " (\(Cell.signed($0)) points)" } ?? "")
          }) + "."
    }
    return [first] + lists
  }

  /// The same of a regression.
  private static func error(_ rows: [ReportData.Row]) -> [String] {
    let trained = rows.filter { $0.number("test_mse_mean") != nil }
    guard
      let best = trained.min(by: { ($0.number("test_mse_mean") ?? 0) < ($1.number("test_mse_mean") ?? 0) })
    else { return [] }
    func error(_ row: ReportData.Row) -> String { Cell.number(row.number("test_mse_mean"), digits: 3) }
    let beside = yardstick(trained).map { "; \(name($0)) has \(error($0))" } ?? ""
    return ["The lowest mean squared error is that of \(name(best)), \(error(best))\(beside)."]
  }

  /// What is smallest and fastest.
  private static func costs(_ rows: [ReportData.Row]) -> [String] {
    func least(_ column: String, _ text: (String, String, String) -> String, _ form: (Double) -> String)
      -> String?
    {
      guard let standard = yardstick(rows), let yard = standard.number(column),
        let best = rows.filter({ $0.number(column) != nil }).min(by: {
          ($0.number(column) ?? 0) < ($1.number(column) ?? 0)
        }), let value = best.number(column), value < yard
      else { return nil }
      return text(name(best), form(value), "\(name(standard)) \(form(yard))")
    }
    return [
      least("params", { "Fewest parameters: \($0), \($1) (\($2))." }, { Cell.grouped(Int($0)) }),
      least(
        "latency_ms_median", { "Fastest network: \($0), \($1) ms an image (\($2))." },
        { Cell.rounded($0, digits: 2) }),
    ].compactMap { $0 }
  }

  /// Which proxies order networks as their accuracies do.
  private static func proxies(_ data: ReportData) -> [String] {
    guard let quality = data.quality else { return [] }
    let hasSeveral = quality.rows.contains { $0.set == nil }
    let rows = quality.rows.filter { ($0.set == nil || !hasSeveral) && $0.tauInterval != nil }
      .filter { row in !AccuracyPlots.costs.contains { $0.column == row.proxy } }
    guard !rows.isEmpty else { return [] }
    func text(_ row: ProxyQuality.Row) -> String { "\(row.proxy) (τ \(Cell.fixed(row.tau, decimals: 2)))" }
    let with = rows.filter { ($0.tauInterval?.lowerBound ?? 0) > 0 }
    let against = rows.filter { ($0.tauInterval?.upperBound ?? 0) < 0 }
    let open = rows.count - with.count - against.count
    return [
      "Proxies, judged by the 95 % interval of Kendall's τ with the accuracy. "
        + "Ordered like the accuracies: \(with.isEmpty ? "none" : list(with.map(text))). "
        + (against.isEmpty ? "" : "In the opposite order: \(list(against.map(text))). ")
        + (open > 0 ? "For the other \(open) the data cannot decide." : "")
    ]
  }

  private static func yardstick(_ rows: [ReportData.Row]) -> ReportData.Row? {
    rows.first { $0["kernel"] == "standard" }
  }

  private static func name(_ row: ReportData.Row) -> String { row["kernel"] ?? "" }

  /// `97.7 (93.1–99.3)` with the sign after the number.
  private static func percent(_ text: String) -> String {
    let parts = text.split(separator: " ", maxSplits: 1)
    return "\(parts.first ?? "") %" + (parts.count > 1 ? " \(parts[1])" : "")
  }

  private static func list(_ names: [String]) -> String {
    let shown = 8
    let rest = names.count - shown
    return names.prefix(shown).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }
}
