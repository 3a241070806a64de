import Synchronization

/// The algorithm that was measured to be the fastest for each problem: shared by all layers of a process.
package final class AlgorithmTuning: Sendable {
  private let choices: Mutex<[String: String]>

  /// A memory that starts with what an earlier one held.
  package init(_ choices: [String: String] = [:]) { self.choices = Mutex(choices) }

  /// All choices so far, by problem.
  package var known: [String: String] { choices.withLock { $0 } }

  /// Measures which of some algorithms is the fastest for a problem, and remembers it.
  ///
  /// - Parameters:
  ///   - problem: everything that the time depends on.
  ///   - candidates: the algorithms' names.
  ///   - run: runs one of them once.
  package func measureFastest(_ problem: String, of candidates: [String], run: (String) -> Void) -> String {
    var best = (candidates[0], Duration.seconds(1_000_000))
    for candidate in candidates {
      run(candidate)
      for _ in 0..<5 {
        let time = ContinuousClock().measure { run(candidate) }
        if time < best.1 { best = (candidate, time) }
        // An algorithm that is twice as slow will not turn out to be the fastest.
        if time > best.1 * 2 { break }
      }
    }
    let choice = best.0
    choices.withLock { $0[problem] = choice }
    return choice
  }

  /// The choice remembered for a problem.
  package func choice(_ problem: String) -> String? { known[problem] }
}
