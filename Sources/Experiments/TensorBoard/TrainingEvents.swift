import Foundation
import Learning
import Tensors

// What of a training TensorBoard shows: the same names of `train`, where steps are steps, and of sweeps, where they are epochs.

extension StepResult {
  /// The values of a step.
  var scalars: [(tag: String, value: Double?)] {
    [("train/loss", loss), ("train/accuracy", top1), ("train/rate", rate)]
      + (epochResult?.validation?.scalars("validation") ?? [])
  }
}

extension EpochResult {
  /// The values of an epoch.
  var scalars: [(tag: String, value: Double?)] {
    [("train/loss", trainLoss), ("train/accuracy", trainTop1), ("train/rate", rate)]
      + (validation?.scalars("validation") ?? []) + (test?.scalars("test") ?? [])
  }
}

extension TestResult {
  /// The values of a split.
  func scalars(_ split: String) -> [(tag: String, value: Double?)] {
    [("accuracy", top1), ("loss", loss), ("mse", mse), ("mae", mae)].map { ("\(split)/\($0)", $1) }
  }
}

extension SweepRecord {
  /// Writes the events of a training into a folder of their own within `folder`, `MODEL/DATA/KERNEL/seed-SEED-NAME`; of what
  /// is no training, nothing.
  ///
  /// - Parameter isNew: whether events that are there are replaced.
  func writeEvents(to folder: String, isNew: Bool) throws {
    guard definition["kind"] == "training", let epochs else { return }
    let name = try Self.name(definition)
    let words = ["model", "data", "kernel"].map { FieldStudy.fileName([definition[$0] ?? ""]) }
    let parts = words + ["seed-\(FieldStudy.fileName([definition["seed"] ?? ""]))-\(name.prefix(8))"]
    let place = ([folder] + parts).joined(separator: "/"), path = "\(place)/events.out.tfevents.0.\(name)"
    guard isNew || !FileManager.default.fileExists(atPath: path) else { return }
    try EventFile.makeFolder(place)
    try AtomicFile.write(events(epochs), to: path)
  }

  /// The events, as if they were written when each epoch ended.
  private func events(_ epochs: [EpochResult]) -> Data {
    let end = (try? Date(timing.date, strategy: .iso8601))?.timeIntervalSince1970 ?? 0
    let durations = epochs.map { $0.seconds.isFinite ? $0.seconds : 0 }
    var time = end - durations.reduce(0, +), log = EventLog(time: time)
    for (epoch, duration) in zip(epochs, durations) {
      time += duration
      log.add(step: epoch.epoch, time: time, epoch.scalars)
    }
    return log.data
  }
}
