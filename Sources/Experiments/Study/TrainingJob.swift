import Foundation
import Layers
import Learning
import Tensors

/// One training with everything that it saves: weights, state, and a log of its steps.
package struct TrainingJob {
  /// What defines it: only the same job can resume it.
  package var definition: [String: String]
  /// The file for the weights; the training's state is saved next to it.
  package var save: String?
  /// A training to resume.
  package var resume: String?
  /// The file for the log.
  package var log: String?
  /// The folder for a file of events, which TensorBoard reads.
  package var tensorboard: String?
  /// The step to stop after, counted over all epochs; nil for the last.
  package var lastStep: Int?
  /// Metadata for the file of weights.
  package var metadata: [String: String]

  /// A job.
  package init(
    definition: [String: String], save: String? = nil, resume: String? = nil, log: String? = nil,
    tensorboard: String? = nil, lastStep: Int? = nil, metadata: [String: String] = [:]
  ) {
    self.definition = definition
    self.save = save
    self.resume = resume
    self.log = log
    self.tensorboard = tensorboard
    self.lastStep = lastStep
    self.metadata = metadata
  }

  /// Trains until the end, or until the user stops it: then what is done is saved before the error is thrown.
  ///
  /// - Parameter onEpoch: called after each epoch.
  /// - Returns: the chosen epoch and its test; nil if the training is not at its end.
  package func run(
    _ trainer: Trainer, _ progress: ProgressLine, onEpoch: (EpochResult) -> Void
  ) throws -> ChosenEpoch? {
    let columns = Self.columns(isRegression: trainer.isRegression)
    var table = CSVTable([], columns)
    if let resume {
      // The weights' own file stands for the state beside it.
      let path =
        try SafetensorsFile(resume).metadata["training"] == nil ? Checkpoint.path(beside: resume) : resume
      try Checkpoint.restore(trainer, job: definition, from: path)
      if let log, FileManager.default.fileExists(atPath: log) { try keep(log, upTo: trainer.steps, &table) }
    }
    for path in [save, save.map(Checkpoint.path), log].compactMap({ $0 }) {
      try AtomicFile.checkFolder(of: path)
    }
    let events = try tensorboard.map(EventFile.init(folder:))
    var isSaved = true
    do {
      while !trainer.isFinished && trainer.steps < lastStep ?? .max {
        try Cancellation.check()
        let step = try trainer.step()
        isSaved = false
        table.append(step, columns)
        try events?.add(step: step.step, step.scalars)
        progress.advance(
          "epoch \(step.epoch), loss \(Cell.fixed(step.loss, decimals: 3)), rate \(Cell.number(step.rate, digits: 3))"
        )
        guard let epoch = step.epochResult else { continue }
        try keep(trainer, table)
        isSaved = true
        progress.finish()
        onEpoch(epoch)
      }
    } catch {
      if !isSaved { try keep(trainer, table, isWhole: error is Cancellation.Requested) }
      throw error
    }
    if !isSaved || trainer.steps == 0 || resume != nil { try keep(trainer, table) }
    guard trainer.isFinished else { return nil }
    // The training's state is saved; from here on the network has the chosen epoch's weights.
    let chosen = try trainer.finish()
    if let row = table.rows.lastIndex(where: { $0["epoch"] == "\(chosen.epoch)" }) {
      for (name, cell) in Self.testCells(chosen.test, isRegression: trainer.isRegression) {
        table.set(name, of: row, to: cell)
      }
    }
    if let log { try table.write(to: log) }
    try events?.add(step: trainer.steps, chosen.test.scalars("test"))
    return chosen
  }

  /// Writes what there is; after a failure, the log only: the weights are those of the last epoch.
  private func keep(_ trainer: Trainer, _ table: CSVTable, isWhole: Bool = true) throws {
    if let save, isWhole {
      try Checkpoint.save(trainer, job: definition, to: Checkpoint.path(beside: save))
      try trainer.withBestWeights { try trainer.network.save(to: save, metadata: metadata) }
    }
    if let log { try table.write(to: log) }
  }

  /// A log's columns. Those of the test are filled at the end.
  private static func columns(isRegression: Bool) -> [Column<StepResult>] {
    let tests = ["test_accuracy"] + (isRegression ? ["test_mse", "test_mae"] : [])
    let validation: [Column<StepResult>] = [
      Column("validation_accuracy") { Cell.number($0.epochResult?.validation?.top1) },
      Column("validation_loss") { Cell.number($0.epochResult?.validation?.loss, digits: 9) },
    ]
    let errors: [Column<StepResult>] = [
      Column("validation_mse") { Cell.number($0.epochResult?.validation?.mse, digits: 9) },
      Column("validation_mae") { Cell.number($0.epochResult?.validation?.mae, digits: 9) },
    ]
    return [
      Column("step") { $0.step }, Column("epoch") { $0.epoch },
      Column("loss") { Cell.number($0.loss, digits: 9) }, Column("accuracy") { Cell.number($0.top1) },
      Column("rate") { Cell.number($0.rate, digits: 9) },
    ] + tests.map { Column($0) { _ in nil } } + (isRegression ? errors : validation)
  }

  private static func testCells(_ test: TestResult, isRegression: Bool) -> [(String, String)] {
    isRegression
      ? [("test_mse", Cell.number(test.mse, digits: 9)), ("test_mae", Cell.number(test.mae, digits: 9))]
      : [("test_accuracy", Cell.number(test.top1))]
  }

  /// Takes over the lines of a log that another process wrote, up to where it is resumed.
  private func keep(_ log: String, upTo last: Int, _ table: inout CSVTable) throws {
    let old = try CSVTable(file: log, limit: 1 << 30)
    // Those of earlier versions have fewer columns.
    guard old.columns.allSatisfy(table.columns.contains), old.columns.starts(with: table.columns.prefix(5))
    else {
      throw WorkbenchError(
        "\(log) is not a log of this training; move it away, or give another file with --log.")
    }
    for row in old.rows where row["step"].flatMap({ Int($0) }).map({ $0 <= last }) == true {
      table.append(row)
    }
  }
}
