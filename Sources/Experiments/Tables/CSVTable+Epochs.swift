import Learning

extension Column where Row == EpochResult {
  /// The columns of an epoch in training.csv that come first.
  static var epochs: [Column] {
    [
      Column("epoch") { $0.epoch }, Column("rate") { Cell.number($0.rate) },
      Column("train_loss") { Cell.number($0.trainLoss, digits: 9) },
      Column("train_top1") { Cell.fixed($0.trainTop1, decimals: 3) },
      Column("test_top1") { Cell.fixed($0.test?.top1, decimals: 3) },
      Column("seconds") { Cell.fixed($0.seconds, decimals: 3) },
    ]
  }

  /// Those of the validation and test splits that were added later.
  static func splits(isRegression: Bool) -> [Column] {
    isRegression
      ? [
        Column("test_mse") { Cell.number($0.test?.mse, digits: 9) },
        Column("test_mae") { Cell.number($0.test?.mae, digits: 9) },
        Column("validation_mse") { Cell.number($0.validation?.mse, digits: 9) },
        Column("validation_mae") { Cell.number($0.validation?.mae, digits: 9) },
      ]
      : [
        Column("validation_top1") { Cell.fixed($0.validation?.top1, decimals: 3) },
        Column("validation_loss") { Cell.number($0.validation?.loss, digits: 9) },
        Column("test_loss") { Cell.number($0.test?.loss, digits: 9) },
        Column("test_ece") { Cell.number($0.test?.calibrationError, digits: 6) },
      ]
  }

  /// The column as one of rows that have an epoch.
  func of<Other>(_ epoch: @escaping (Other) -> EpochResult) -> Column<Other> {
    Column<Other>(name) { cell(epoch($0)) }
  }
}

extension CSVTable {
  /// The epochs of one training, with the columns of training.csv.
  package init(epochs: [EpochResult], isRegression: Bool) {
    self.init(epochs, Column.epochs + Column.splits(isRegression: isRegression))
  }
}
