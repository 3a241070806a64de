import Synchronization
import Tensors

/// Records that several threads add to.
final class RecordKeeper: Sendable {
  private struct State {
    var records: SweepRecords
    var count = 0
    var refused: Set<String> = []
  }
  private let state: Mutex<State>

  private let claims: Claims

  init(_ records: SweepRecords, _ claims: Claims) {
    state = Mutex(State(records: records))
    self.claims = claims
  }

  /// What there is.
  var records: SweepRecords { state.withLock { $0.records } }

  /// How many were added.
  var count: Int { state.withLock { $0.count } }

  /// The names of trainings that were refused.
  var refused: Set<String> { state.withLock { $0.refused } }

  /// Keeps a record.
  func add(_ record: SweepRecord) throws {
    try state.withLock {
      try $0.records.add(record) { [claims] data, path in
        try claims.publish(path) { try AtomicFile.write(data, to: $0) }
      }
      $0.count += 1
    }
  }

  /// Says that a training is refused: it has no record.
  func refuse(_ name: String) { state.withLock { _ = $0.refused.insert(name) } }

  /// Whether a run has a record now, perhaps another process's.
  func isDone(_ name: String, by build: String?) -> Bool {
    state.withLock { $0.records.isDone(name, by: build) }
  }

  /// The names of the records in a folder that can be trusted, as far as they were looked at.
  func names(in folder: ResultFolder) -> Set<String> {
    let names = SweepRecords.names(in: folder.path)
    return state.withLock { state in Set(names.filter { !state.records.isUntrusted($0) }) }
  }

  /// Reads the records among `names` that others have added.
  func read(_ names: [String]) { state.withLock { $0.records.read(names) } }
}
