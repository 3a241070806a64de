import Foundation
import Learning
import Tensors

/// The checkpoint of an interrupted training of a sweep: DIR/checkpoints/NAME.safetensors, from which it resumes bit
/// for bit.
struct RunCheckpoint {
  private let path: String
  private let folder: ResultFolder
  private let job: [String: String]

  /// The checkpoint of a run, which need not exist. Only the same build of the program resumes it: another one may
  /// compute something else, or round differently.
  init(_ run: SweepPlan.Run, _ folder: ResultFolder) {
    self.folder = folder
    path = folder.path("checkpoints/\(run.name).safetensors")
    job = run.definition.merging(["build": ProgramBuild.fingerprint ?? ""]) { $1 }
  }

  /// When it was written, in seconds since 1970; nil if there is none.
  var date: Double? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970
  }

  /// What a training that was cut short had come to; nil if there is nothing to resume, and then the trainer is as it
  /// was.
  func restore(_ trainer: Trainer) -> SweepRecord? {
    guard date != nil, let text = try? SafetensorsFile(path).metadata["record"],
      let record = try? SweepRecord.decoder.decode(SweepRecord.self, from: Data(text.utf8)),
      (try? Checkpoint.restore(trainer, job: job, from: path)) != nil
    else { return nil }
    return record
  }

  /// Writes where a training is, whole or not at all.
  ///
  /// - Parameter record: what it has come to.
  func save(_ trainer: Trainer, _ record: SweepRecord, _ claims: Claims) throws {
    let text = String(decoding: try record.fileContents(), as: UTF8.self)
    try claims.publish(path) { try Checkpoint.save(trainer, job: job, to: $0, metadata: ["record": text]) }
  }

  /// Removes it.
  func remove() {
    if unlink(path) == 0 { rmdir(folder.path("checkpoints")) }
  }
}
