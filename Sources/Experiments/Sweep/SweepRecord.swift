import Foundation
import Learning
import Tensors

/// The result of one run of a sweep, with everything that defines it: a file `records/NAME.json`.
///
/// `definition` says what was run, `result` what came out of it (the same on every repetition), `timing` how long it
/// took and where (different each time).
struct SweepRecord: Codable {
  /// What the file is; another number means another form.
  var format = Self.currentFormat
  /// Everything that defines the run. Its canonical JSON gives the record its name.
  var definition: [String: String]
  /// The outcome.
  var result = Result()
  /// The times, and where and by what they were taken.
  var timing: Timing
  /// The fingerprint of all other fields.
  var checksum = ""

  static let currentFormat = "convolution-workbench record 1"

  /// The outcome, timings aside.
  struct Result: Codable {
    /// Of a run that times operators: a row for each kernel, algorithm and pass.
    var operators: [OperatorRow]?
    /// Of a run that measures networks: a row for each kernel.
    var networks: [NetworkRow]?
    /// Of a run that times layers: a row for each kernel and layer.
    var layers: [LayerTime]?
    /// Of a run that measures a receptive field.
    var field: FieldStudy.Row?
    /// Of a run that matches widths: one for each kernel.
    var widths: [MatchedWidth]?
    /// Of a training: its epochs.
    var epochs: [EpochResult]?
    /// Of a training: which test images were classified rightly after the chosen epoch, a bit for each.
    var correct: Hits?
    /// Of a training: the class that was predicted for each test image then; nil in records of earlier versions.
    var predicted: Predictions?
    /// Of a training to its end: where the network reads for the first test image, if it has learned that.
    var offsets: LayerOffsets?
    /// Why a training ended before its last epoch without being stopped.
    var failure: String?
  }

  /// The times, which no result depends on.
  struct Timing: Codable {
    /// For each row, its milliseconds in each round.
    var milliseconds: [[Double]]?
    /// For each row, the median over rounds of standard's time over its own.
    var speedups: [Double]?
    /// For each epoch, its duration.
    var seconds: [Double]?
    /// When the run ended, ISO 8601.
    var date: String
    /// The processor.
    var processor: String
    /// What `Compute` was built for.
    var instructionSet: String
    /// The commit of the sources.
    var commit: String?
    /// The fingerprint of the program's file; nil in records of earlier versions.
    var build: String?
    /// The machine's name, and its processors; nil in records of earlier versions.
    var host: String?, cores: Int?
    /// What one thread of it can do at most, in GFLOP/s and GB/s; nil in records of earlier versions.
    var peak: Double?, bandwidth: Double?

    /// Where a run was done.
    var place: RunPlace { RunPlace(host: host ?? "", instructionSet: instructionSet, build: build ?? "") }
  }

  /// The name of a run with this definition.
  static func name(_ definition: [String: String]) throws -> String {
    Fingerprint.of(String(decoding: try encoder.encode(definition), as: UTF8.self))
  }

  /// The fingerprint of everything but itself.
  func expectedChecksum() throws -> String {
    var copy = self
    copy.checksum = ""
    return Fingerprint.of(String(decoding: try Self.encoder.encode(copy), as: UTF8.self))
  }

  /// The whole file.
  func fileContents() throws -> Data {
    var copy = self
    copy.checksum = try expectedChecksum()
    let pretty = Self.encoder
    pretty.outputFormatting.insert(.prettyPrinted)
    return try pretty.encode(copy) + Data("\n".utf8)
  }

  /// Canonical JSON: sorted keys, no spaces.
  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }

  /// What reads it.
  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }
}

extension SweepRecord {
  /// A record of a run that ends now, without what came out.
  init(_ run: SweepPlan.Run, _ machine: MachineRecord) {
    self.init(
      definition: run.definition,
      timing: Timing(
        date: Date().formatted(.iso8601), processor: machine.processor,
        instructionSet: machine.instructionSet, commit: machine.commit, build: ProgramBuild.fingerprint,
        host: machine.host, cores: machine.cores, peak: machine.peakGflopsPerThread,
        bandwidth: machine.bandwidthGBPerSecond))
  }

  /// Keeps rows, and their times apart.
  mutating func keep<Row: TimedRow>(_ rows: [Row], as part: WritableKeyPath<Result, [Row]?>) {
    result[keyPath: part] = rows
    timing.milliseconds = rows.map(\.times.milliseconds)
    timing.speedups = rows.map(\.times.speedup)
  }

  /// Rows with their times; those that the record does not have are missing.
  func rows<Row: TimedRow>(_ part: KeyPath<Result, [Row]?>) -> [Row] {
    var rows = result[keyPath: part] ?? []
    for (index, milliseconds) in zip(rows.indices, timing.milliseconds ?? []) {
      rows[index].times.milliseconds = milliseconds
    }
    for (index, speedup) in zip(rows.indices, timing.speedups ?? []) { rows[index].times.speedup = speedup }
    return rows
  }

  /// The rows of networks with their times and place; nil if it has none.
  var networkRows: [NetworkRow]? {
    guard result.networks != nil else { return nil }
    return rows(\.networks).map { row in
      var row = row
      row.place = timing.place
      return row
    }
  }

  /// Keeps a training, and the duration of its epochs apart.
  mutating func keep(_ run: TrainedRun) {
    result.epochs = run.epochs
    result.correct = run.chosen?.test?.hits
    result.predicted = run.chosen?.test?.predictions
    result.offsets = run.offsets
    result.failure = run.failure
    timing.seconds = run.epochs.map(\.seconds)
  }

  /// The epochs of a training with their durations; nil if it is none.
  var epochs: [EpochResult]? {
    var epochs = result.epochs
    for (index, seconds) in zip(epochs?.indices ?? 0..<0, timing.seconds ?? []) {
      epochs?[index].seconds = seconds
    }
    if let chosen = epochs?.lastIndex(where: { $0.test != nil }) {
      epochs?[chosen].test?.hits = result.correct
      epochs?[chosen].test?.predictions = result.predicted
    }
    return epochs
  }
}
