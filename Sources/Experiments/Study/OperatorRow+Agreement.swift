extension OperatorRow {
  /// The largest acceptable error of an operator. Rounding causes about 1e-5 of the largest value on the timed
  /// shapes; a hundred times as much means another function.
  package static let errorLimit = 1e-3

  /// Whether it disagrees with its definition.
  package var isWrong: Bool { maxRelativeError.map { !($0 <= Self.errorLimit) } ?? false }

  /// The word for it in tables.
  var status: String { refusal?.status ?? (isWrong ? "wrong" : "ok") }

  /// Why it has no time, or how it disagrees with its definition; nil if nothing is wrong.
  var reason: String? {
    refusal?.reason ?? (isWrong ? "it differs from its definition by \(errorInWords)" : nil)
  }

  private var errorInWords: String {
    let error = Cell.number(maxRelativeError, digits: 2)
    return error.isEmpty ? "more than any number" : "\(error) of the largest value"
  }

  /// The largest error in a table for people; a wrong one says so.
  package var errorCell: String { Cell.number(maxRelativeError, digits: 1) + (isWrong ? " wrong" : "") }
}

extension [OperatorRow] {
  /// The row with the largest error.
  var worst: OperatorRow? {
    first { $0.maxRelativeError?.isNaN == true }
      ?? self.max { ($0.maxRelativeError ?? -1) < ($1.maxRelativeError ?? -1) }
  }

  /// One sentence if some rows disagree with their definitions; nil if none does.
  package var disagreement: String? {
    guard let worst, worst.isWrong, let reason = worst.reason else { return nil }
    let others = count(where: \.isWrong) - 1
    return "\(worst.kernel) is wrong: \(reason) (\(worst.algorithm), \(worst.pass.rawValue), \(worst.problem)"
      + (others > 0 ? "; \(others) more row\(others == 1 ? "" : "s")" : "")
      + "); ‘experiment check’ finds the case."
  }
}
