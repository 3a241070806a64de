import Tensors

extension ResultComparison {
  /// A row for each network: columns kernel, model, replace, data, group, seeds, test_images, before, after,
  /// difference, its interval, p_holm, verdict, p_better and its interval, margin, top1_images.
  package var table: CSVTable {
    func fixed(_ name: String, _ value: @escaping (Row) -> Double?) -> Column<Row> {
      Column(name) { Cell.fixed(value($0), decimals: 3) }
    }
    return CSVTable(
      rows,
      [
        Column("kernel") { $0.network.kernel }, Column("model") { $0.network.model },
        Column("replace") { $0.network.replace }, Column("data") { $0.network.data },
        Column("group") { $0.network.group }, Column("seeds") { $0.seeds },
        Column("test_images") { $0.images }, fixed("top1_before") { $0.before.mean },
        fixed("top1_after") { $0.after.mean }, fixed("top1_difference") { $0.difference.mean },
        fixed("top1_difference_low95") { $0.difference.interval?.lowerBound },
        fixed("top1_difference_high95") { $0.difference.interval?.upperBound },
        Column("p_holm") { Cell.number($0.probability, digits: 3) },
        Column("verdict") { $0.verdict?.rawValue },
        fixed("p_better") { $0.difference.superiority?.mean },
        fixed("p_better_low95") { $0.difference.superiority?.interval.lowerBound },
        fixed("p_better_high95") { $0.difference.superiority?.interval.upperBound },
        Column("margin") { _ in Cell.number(margin) },
        Column("top1_images") { $0.difference.isByImage ? "paired" : "unpaired" },
      ])
  }

  /// The same as text, with explanations.
  package var summary: String {
    func differ(_ part: KeyPath<ComparedTraining.Network, String>) -> Bool {
      Set(rows.map { $0.network[keyPath: part] }).count > 1
    }
    let parts: [(String, KeyPath<ComparedTraining.Network, String>)] = [
      ("group", \.group), ("data", \.data), ("model", \.model), ("replace", \.replace),
    ]
    let names = parts.filter { differ($0.1) }.map { part in
      Column<Row>(part.0) { Terminal.fitted($0.network[keyPath: part.1], to: 16) }
    }
    let columns: [Column<Row>] =
      names + [
        Column("kernel") { Terminal.shortened($0.network.kernel, to: 24) }, Column("seeds") { $0.seeds },
        Column("before %") { Cell.fixed($0.before.mean, decimals: 1) },
        Column("after %") { Cell.fixed($0.after.mean, decimals: 1) },
        Column("change (95 %)") { row in
          Cell.signed(row.difference.mean)
            + (row.difference.interval.map {
              " (\(Cell.signed($0.lowerBound)) to \(Cell.signed($0.upperBound)))"
            } ?? "")
        },
        Column("verdict") { $0.verdict?.rawValue },
      ]
    var lines = [
      "better, worse   than before, significant over seeds and images (5 %, Holm)",
      "equivalent      within \(Cell.number(margin)) point\(margin == 1 ? "" : "s") (5 %, Holm)",
      "open            too few data to tell",
    ]
    if rows.contains(where: { $0.verdict == nil }) {
      lines.append("One seed gives no interval and no verdict.")
    }
    if !isByImage {
      lines += [
        "Without records in both folders, images are not paired, intervals are wide,",
        "and recipes may differ in all but the epochs.",
      ]
    }
    if regressions.before + regressions.after > 0 {
      lines.append(
        "Regressions are not compared: \(regressions.before) trainings before, \(regressions.after) after.")
    }
    if missing > 0 {
      lines.append("Trainings that only one of the two has: \(alone.before) before, \(alone.after) after.")
    }
    let words = Set(names.indices).union([names.count, columns.count - 1])
    return "\(TextTable(rows, columns, left: words).text)\n\n" + lines.joined(separator: "\n")
  }
}
