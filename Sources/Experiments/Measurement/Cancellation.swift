import Foundation
import Synchronization

/// Whether the user has asked to stop. Long work checks it and keeps what is finished.
package enum Cancellation {
  /// The second in which a stop was asked for first, or 0.
  private static let requestedAt = Atomic(0)

  /// What `check` throws after the user has asked to stop.
  package struct Requested: Error {
    /// A sentence that says what is kept and how to resume.
    package let sentence: String

    /// The error.
    package init(
      _ sentence: String = "Stopped: nothing was finished, so nothing is kept; the same command starts again."
    ) {
      self.sentence = sentence
    }
  }

  /// Lets Ctrl-C (SIGINT), SIGTERM and a scheduler's warning (SIGUSR1) ask for a stop; the second one ends the program
  /// at once.
  package static func listen() {
    // A parent may have left them blocked.
    var signals = sigset_t()
    sigemptyset(&signals)
    let asking = [SIGINT, SIGTERM, SIGUSR1]
    for number in asking { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in asking {
      signal(number) { number in
        // Some senders signal a process and then its group, so only a later signal counts as a second one.
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let first = Cancellation.requestedAt.load(ordering: .relaxed)
        if first == 0 {
          Cancellation.requestedAt.store(Int(now.tv_sec), ordering: .relaxed)
        } else if Int(now.tv_sec) - first >= 2 {
          _exit(128 + number)
        }
      }
    }
  }

  /// Throws if a stop was asked for.
  package static func check() throws {
    if requestedAt.load(ordering: .relaxed) != 0 { throw Requested() }
  }
}
