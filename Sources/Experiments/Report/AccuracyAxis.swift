import Foundation

/// An axis of accuracies in percent. If they are far apart, it is logarithmic in the error, so that 98 and 99 % are
/// distinguishable next to 80 %. Or an axis of a regression's errors, always logarithmic.
struct AccuracyAxis {
  /// Whether it shows mean squared errors.
  private let isOfErrors: Bool
  /// Whether the axis is logarithmic in the error.
  let isLogarithmic: Bool
  private let bottom: Double, top: Double

  /// An axis that shows all `values`, and what of `intervals` about them is not far larger than their differences.
  init(_ values: [Double], intervals: [Double] = []) {
    isOfErrors = false
    let lowest = values.min() ?? 0, highest = values.max() ?? 100
    let best = max(100 - highest, 0.2), worst = max(100 - lowest, 0.2)
    isLogarithmic = worst / best > 5
    let ends = zip(values, intervals)
    if isLogarithmic {
      bottom = max(lowest - 0.25 * worst, 0)
      top = 100 - best / 1.6
    } else {
      let margin = max(highest - lowest, 1)
      bottom = max(0, max(ends.map { $0 - $1 }.min() ?? lowest, lowest - margin) - 0.1 * margin)
      top = min(100.5, min(ends.map { $0 + $1 }.max() ?? highest, highest + margin) + 0.1 * margin)
    }
  }

  /// An axis that shows all of some positive errors.
  init(errors: [Double]) {
    (isOfErrors, isLogarithmic) = (true, true)
    bottom = max(errors.min() ?? 0.1, 1e-9) / 1.2
    top = (errors.max() ?? 1) * 1.2
  }

  /// Where an accuracy, or an error, is drawn.
  func place(_ accuracy: Double) -> Double {
    if isOfErrors { return accuracy }
    return isLogarithmic ? max(100 - accuracy, 100 - top) : accuracy
  }

  /// An accuracy, or an error, as text.
  func text(_ value: Double) -> String {
    isOfErrors ? Cell.number(value, digits: 3) : "\(Cell.fixed(value, decimals: 1)) %"
  }

  /// Its ends.
  var ends: Frame.Axis {
    if isOfErrors { return Frame.Axis(first: bottom, last: top, isLogarithmic: true) }
    return isLogarithmic
      ? Frame.Axis(first: 100 - bottom, last: 100 - top, isLogarithmic: true)
      : Frame.Axis(first: bottom, last: top)
  }

  /// What sets the axis, `y` or `x`.
  func commands(_ axis: String = "y") -> [String] {
    if isOfErrors {
      return ["set logscale \(axis)", "set \(axis)label 'mean squared error'", ends.range(axis)]
    }
    guard isLogarithmic else {
      return ["set \(axis)label 'top-1 accuracy, %'", ends.range(axis)]
    }
    let marks = [
      0, 20, 40, 50, 60, 70, 80, 85, 90, 93, 95, 96, 97, 98, 98.5, 99, 99.5, 99.7, 99.8, 99.9,
    ].filter { bottom <= $0 && $0 <= top }
    let labels = marks.map { "'\(Cell.number($0, digits: 4))' \(Cell.number(100 - $0, digits: 4))" }
    return [
      "set logscale \(axis)", "set \(axis)tics (\(labels.joined(separator: ", ")))", "set m\(axis)tics 1",
      "set \(axis)label 'top-1 accuracy, % (logarithmic in the error)'",
      ends.range(axis),
    ]
  }
}
