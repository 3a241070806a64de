import Learning

/// What `evaluate` found, as tables.
package struct Evaluation {
  /// What all rows share: the model, the kernel, the data and the split.
  private let shared: [(column: String, cell: String)]
  private let result: TestResult
  private let images: Int
  /// Nil in a regression.
  private let confusion: ConfusionMatrix?

  /// The result of a network on a split.
  package init(
    _ result: TestResult, on examples: Examples, classes: Int, _ shared: [(column: String, cell: String)]
  ) {
    self.result = result
    self.shared = shared
    images = examples.count
    confusion = result.predictions?.values(examples.count).map {
      ConfusionMatrix(examples.labels, $0, classes: classes)
    }
  }

  /// Top-5 says nothing where there are five classes.
  private var top5: Double? { (confusion?.counts.count ?? 0) > 5 ? result.top5 : nil }

  /// A row for all images and, in a classification, one for each class.
  package var table: CSVTable {
    let all: [Column<Int?>] = [
      Column("class") { $0.map { "\($0)" } ?? "all" },
      Column("images") { label in label.flatMap { confusion?.images($0) } ?? images },
      Column("top1") { label in
        Cell.fixed(label.map { confusion?.accuracy($0) } ?? result.top1, decimals: 3)
      },
      Column("top5") { $0 == nil ? Cell.fixed(top5, decimals: 3) : nil },
      Column("loss") { $0 == nil ? Cell.number(result.loss, digits: 9) : nil },
      Column("ece") { $0 == nil ? Cell.number(result.calibrationError, digits: 9) : nil },
      Column("mse") { $0 == nil ? Cell.number(result.mse, digits: 9) : nil },
      Column("mae") { $0 == nil ? Cell.number(result.mae, digits: 9) : nil },
    ]
    let labels = confusion.map { Array($0.counts.indices) } ?? []
    return CSVTable([nil] + labels.map(Optional.some), Column.shared(shared) + all)
  }

  /// A row for each class, a column for each that is predicted; nil in a regression.
  package var confusionTable: CSVTable? {
    confusion.map { confusion in
      let columns: [Column<Int>] =
        [Column("class") { $0 }]
        + confusion.counts.indices.map { guess in Column("\(guess)") { confusion.counts[$0][guess] } }
      return CSVTable(Array(confusion.counts.indices), columns)
    }
  }

  /// For people.
  package var text: String {
    guard let confusion else {
      return "MSE  \(Cell.number(result.mse))\nMAE  \(Cell.number(result.mae))"
    }
    var lines = ["top-1              \(Cell.fixed(result.top1, decimals: 2)) %"]
    if let top5 { lines.append("top-5              \(Cell.fixed(top5, decimals: 2)) %") }
    lines += [
      "cross-entropy      \(Cell.fixed(result.loss, decimals: 4)) nats",
      "calibration error  \(Cell.fixed(result.calibrationError, decimals: 4)) (15 bins of confidence)",
      "",
    ]
    let table = TextTable(
      Array(confusion.counts.indices),
      [
        Column("class") { $0 }, Column("images") { confusion.images($0) },
        Column("top-1 %") { Cell.fixed(confusion.accuracy($0), decimals: 2) },
        Column("most often taken for") { label in
          confusion.mistake(label).map { "\($0.label) (\($0.count))" } ?? "–"
        },
      ], left: [])
    return lines.joined(separator: "\n") + "\n" + table.text
  }
}
