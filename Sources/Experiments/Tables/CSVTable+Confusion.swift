import Learning

extension CSVTable {
  /// confusion.csv: how often images of a class were taken for each class, all seeds of a kernel together; a row for each
  /// pair that occurs. Empty where the trainings do not say, and in a regression.
  init(confusionOf runs: [TrainedRun], on data: Dataset, _ shared: [(column: String, cell: String)]) {
    self.init(
      columns: ["kernel"] + shared.map(\.column) + ["class", "predicted", "images"])
    var kernels: [String] = [], counts: [String: [[Int]]] = [:]
    for run in runs where run.isFinished && !data.isRegression {
      guard let predicted = run.chosen?.test?.predictions?.values(data.test.count) else { continue }
      let matrix = ConfusionMatrix(data.test.labels, predicted, classes: data.classes).counts
      if counts[run.kernel] == nil { kernels.append(run.kernel) }
      counts[run.kernel] = counts[run.kernel].map { zip($0, matrix).map { zip($0, $1).map(+) } } ?? matrix
    }
    let cells = Dictionary(shared.map { ($0.column, $0.cell) }) { $1 }
    for kernel in kernels {
      for (label, row) in (counts[kernel] ?? []).enumerated() {
        for (guess, count) in row.enumerated() where count > 0 {
          append(
            cells.merging([
              "kernel": kernel, "class": "\(label)", "predicted": "\(guess)", "images": "\(count)",
            ]) { $1 })
        }
      }
    }
  }
}
