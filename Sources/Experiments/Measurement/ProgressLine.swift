import Foundation
import Synchronization
import Tensors

/// One line on standard error that shows the progress of long work and the estimated time left; silent if standard
/// error is not a terminal, unless another style is chosen.
package final class ProgressLine: Sendable {
  /// Another way to say it.
  package enum Style: String, CaseIterable, Sendable {
    /// A line for each step, wherever standard error goes.
    case plain
    /// Nothing.
    case silent = "none"
  }

  private static let chosen = Mutex<Style?>(nil)

  /// The style of all progress of this process; nil for a line that changes, on terminals.
  package static var style: Style? {
    get { chosen.withLock { $0 } }
    set { chosen.withLock { $0 = newValue } }
  }

  private struct State {
    var done = 0
    let total: Int
    var work = 0.0
    let allWork: Double
    var width = 0
  }
  private let state: Mutex<State>
  private let title: String
  private let isTerminal = ProgressLine.style == nil && isatty(STDERR_FILENO) == 1
  private let isPlain = ProgressLine.style == .plain
  private let start = ContinuousClock.now

  /// Progress of `total` steps.
  ///
  /// - Parameter work: the total work of all steps, in any unit, for the estimate; nil for a unit each.
  package init(_ title: String, total: Int, work: Double? = nil) {
    self.title = title
    state = Mutex(State(total: total, allWork: work ?? Double(total)))
  }

  /// Counts one more step with its work, and shows what is going on.
  package func advance(_ label: String, work: Double = 1) {
    update(label, by: 1, work, isStep: true)
  }

  /// Shows what is going on.
  ///
  /// - Parameters:
  ///   - label: what is going on.
  ///   - always: whether plain style prints it too; by default it prints finished steps only.
  package func show(_ label: String, always: Bool = false) {
    update(label, by: 0, 0, isStep: always)
  }

  /// Clears the line.
  package func finish() {
    guard isTerminal else { return }
    state.withLock { Self.replace(&$0.width, with: "") }
  }

  private func update(_ label: String, by step: Int, _ work: Double, isStep: Bool) {
    guard isTerminal || isPlain && isStep else { return }
    state.withLock { state in
      state.done += step
      state.work += work
      let estimate = Self.estimate(
        elapsed: (ContinuousClock.now - start).seconds, work: state.work, of: state.allWork)
      let line = "\(title) \(state.done)/\(state.total)\(estimate)  \(label.onOneLine)"
      guard isTerminal else { return Terminal.tell("\(line)\n") }
      Self.replace(&state.width, with: Terminal.fitted(line, to: Terminal.width(STDERR_FILENO) - 1))
    }
  }

  /// The time left in words, given that the finished work took `elapsed` seconds; empty if that says little.
  static func estimate(elapsed: Double, work: Double, of total: Double) -> String {
    guard elapsed >= 2, work > 0, total > work else { return "" }
    return ", about \(duration(min(elapsed / work * (total - work), 1e8))) left"
  }

  /// A number of seconds, for people.
  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<90: "\(Int(seconds.rounded(.up))) s"
    case ..<5400: "\(Int((seconds / 60).rounded())) min"
    default: "\(Cell.fixed(seconds / 3600, decimals: 1)) h"
    }
  }

  /// Writes a line over the last one, which took `width` columns: a line that wraps could not be replaced.
  private static func replace(_ width: inout Int, with line: String) {
    let own = Terminal.width(Array(line)), padding = String(repeating: " ", count: max(0, width - own))
    Terminal.tell("\r\(line)\(padding)\(line.isEmpty ? "\r" : "")")
    width = own
  }
}
