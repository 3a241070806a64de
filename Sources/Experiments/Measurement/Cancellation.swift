import Foundation
import Synchronization

/// Whether the user has asked to stop: long work checks it and leaves what is finished.
public enum Cancellation {
  private static let requested = Atomic(false)

  /// What `check` throws after the user has asked to stop.
  public struct Requested: Error {
    /// The error.
    public init() {}
  }

  /// Lets Ctrl-C (SIGINT) and SIGTERM ask for a stop; the second one ends the program at once.
  public static func listen() {
    // A parent may have left them blocked.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        if Cancellation.requested.exchange(true, ordering: .relaxed) { _exit(128 + number) }
      }
    }
  }

  /// Throws if a stop was asked for.
  public static func check() throws {
    if requested.load(ordering: .relaxed) { throw Requested() }
  }
}
