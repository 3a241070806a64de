import Foundation
import Tensors

/// What went wrong with a run that has no record yet: DIR/failures/NAME.json, written by the process that claimed it.
struct RunFailures: Codable {
  /// One attempt that failed.
  struct Attempt: Codable {
    /// When, ISO 8601.
    var date: String
    /// Where.
    var worker: Worker
    /// Why; nil if its process ended without a word.
    var error: String?
    /// When its checkpoint was written, if it had one: an attempt that got further is no failure.
    var checkpoint: Double?
  }

  /// What it is, for people.
  var run: String
  /// The attempts that failed.
  var attempts: [Attempt] = []

  /// How often a run may fail before it is given up.
  static let limit = 3
  /// How often its process may end without a word and without progress: mostly that is not the run's fault.
  static let deaths = 10

  /// Whether no more attempts are made.
  var isGivenUp: Bool {
    let silent = attempts.filter { $0.error == nil }
    return attempts.count - silent.count >= Self.limit
      || silent.count { $0.checkpoint == silent.last?.checkpoint } >= Self.deaths
  }

  /// The last attempt, for people.
  var text: String {
    guard let last = attempts.last else { return run }
    let reason =
      last.error ?? "its process ended without a message (killed, out of memory, or its machine failed)"
    let sentence = reason.hasSuffix(".") ? String(reason.dropLast()) : reason
    return "\(run) failed in \(attempts.count) attempts, last on \(last.worker.text): \(sentence)"
      + (last.worker.log.map { "; log: \($0)" } ?? "")
  }

  private static func path(_ name: String, _ folder: ResultFolder) -> String {
    folder.path("failures/\(name).json")
  }

  /// What is known of a run; nil if nothing went wrong.
  static func read(_ name: String, in folder: ResultFolder) -> RunFailures? {
    guard let file = try? RegularFile(path(name, folder), limit: 1 << 20),
      let bytes = try? file.read(file.size)
    else { return nil }
    return try? JSONDecoder().decode(RunFailures.self, from: Data(bytes))
  }

  /// The runs that something is known of, by name.
  static func all(in folder: ResultFolder) -> [String: RunFailures] {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path("failures"))) ?? []
    return Dictionary(
      files.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.compactMap { file in
        let name = String(file.dropLast(5))
        return read(name, in: folder).map { (name, $0) }
      }
    ) { $1 }
  }

  /// Adds an attempt of a run that this process has claimed.
  ///
  /// - Parameter worker: whose attempt it was.
  static func add(
    _ error: String?, of worker: Worker, to run: SweepPlan.Run, in folder: ResultFolder, _ claims: Claims
  ) throws -> RunFailures {
    var failures = read(run.name, in: folder) ?? RunFailures(run: run.label)
    failures.attempts.append(
      Attempt(
        date: Date().formatted(.iso8601), worker: worker, error: error,
        checkpoint: RunCheckpoint(run, folder).date))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = try encoder.encode(failures) + Data("\n".utf8)
    try claims.publish(path(run.name, folder)) { try AtomicFile.write(text, to: $0) }
    return failures
  }

  /// Forgets a run that is done.
  static func remove(_ name: String, in folder: ResultFolder) {
    if unlink(path(name, folder)) == 0 { rmdir(folder.path("failures")) }
  }
}
