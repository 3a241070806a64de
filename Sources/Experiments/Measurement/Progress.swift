import Foundation
import Synchronization

/// One line on standard error that says how far long work is; silent where standard error is no terminal.
public final class Progress: Sendable {
  private struct State {
    var done = 0, total: Int
    var label = ""
    var width = 0
  }
  private let state: Mutex<State>
  private let title: String
  private let isTerminal = isatty(STDERR_FILENO) == 1

  /// Progress of `total` steps.
  public init(_ title: String, total: Int) {
    self.title = title
    state = Mutex(State(total: total))
  }

  /// Says that one more step is done, and what is going on.
  public func advance(_ label: String) { update(label, by: 1) }

  /// Says what is going on.
  public func show(_ label: String) { update(label, by: 0) }

  private func update(_ label: String, by step: Int) {
    guard isTerminal else { return }
    state.withLock { state in
      state.done += step
      state.label = label
      let line = "\(title) \(state.done)/\(state.total)  \(label)"
      let padding = String(repeating: " ", count: max(0, state.width - line.count))
      state.width = line.count
      FileHandle.standardError.write(Data("\r\(line)\(padding)".utf8))
    }
  }

  /// Clears the line.
  public func finish() {
    guard isTerminal else { return }
    state.withLock { state in
      FileHandle.standardError.write(Data("\r\(String(repeating: " ", count: state.width))\r".utf8))
      state.width = 0
    }
  }
}
