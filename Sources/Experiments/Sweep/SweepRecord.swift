import Foundation
import Kernels
import Layers
import Learning
import Tensors

/// What one run of a sweep came to, with everything that defines it: a file `records/NAME.json`.
///
/// `definition` says what was run, `result` what came out of it (the same on every repetition), `timing` how long it
/// took and where (different each time).
struct SweepRecord: Codable {
  /// What the file is; another number means another form.
  var format = Self.currentFormat
  /// Everything that defines the run. Its canonical JSON gives the record its name.
  var definition: [String: String]
  /// The outcome.
  var result: Result
  /// The times, and where and by what they were taken.
  var timing: Timing
  /// The fingerprint of all other fields.
  var checksum = ""

  static let currentFormat = "convolution-workbench record 1"

  /// The outcome, timings aside.
  struct Result: Codable {
    /// Of a run that times operators: a row for each kernel, algorithm and pass.
    var operators: [RecordedOperator]?
    /// Of a run that measures networks: a row for each kernel.
    var networks: [RecordedNetwork]?
    /// Of a run that times layers: a row for each kernel and layer.
    var layers: [RecordedLayer]?
    /// Of a run that measures a receptive field.
    var field: RecordedField?
    /// Of a training: its epochs.
    var epochs: [RecordedEpoch]?
    /// Of a training to its end: where the network reads for the first test image, if it has learned that.
    var offsets: LearnedOffsets?
    /// Why a training ended by itself before its last epoch.
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

/// An epoch without its duration.
struct RecordedEpoch: Codable {
  var epoch: Int
  var rate, trainLoss: Double
  var trainTop1: Double?
  var test: TestResult

  init(_ result: EpochResult) {
    epoch = result.epoch
    rate = result.rate
    trainLoss = result.trainLoss
    trainTop1 = result.trainTop1
    test = result.test
  }

  func result(seconds: Double) -> EpochResult {
    EpochResult(
      epoch: epoch, rate: rate, trainLoss: trainLoss, trainTop1: trainTop1, test: test,
      seconds: seconds)
  }
}

/// A row of networks.csv without its times.
struct RecordedNetwork: Codable {
  var kernel: String
  var cost: Cost
  var proxies: ProxyValues
  var refusal: String?

  init(_ row: NetworkRow) {
    kernel = row.kernel
    cost = row.cost
    proxies = row.proxies
    refusal = row.refusal
  }

  func row(milliseconds: [Double], speedup: Double) -> NetworkRow {
    NetworkRow(
      kernel: kernel, cost: cost, milliseconds: milliseconds, speedup: speedup, proxies: proxies,
      refusal: refusal)
  }
}

/// A row of layers.csv without its time.
struct RecordedLayer: Codable {
  var kernel, layer: String
  var algorithm: String?
  /// Batch, height, width, channels.
  var input: [Int]

  init(_ row: LayerTime) {
    kernel = row.kernel
    layer = row.layer
    algorithm = row.algorithm
    input = row.input.extents
  }

  /// The row again; nil if the record holds what cannot be.
  func time(milliseconds: Double) -> LayerTime? {
    guard input.count == 4 else { return nil }
    return LayerTime(
      kernel: kernel, layer: layer,
      input: FeatureShape(batch: input[0], height: input[1], width: input[2], channels: input[3]),
      algorithm: algorithm, milliseconds: milliseconds)
  }
}

/// A row of operators.csv without its times.
struct RecordedOperator: Codable {
  var kernel, algorithm, pass, problem: String
  var geometry: RecordedGeometry?
  var cost: Cost
  var maxRelativeError: Double?
  var status, reason: String?

  init(_ row: OperatorRow) {
    kernel = row.kernel
    algorithm = row.algorithm
    pass = row.pass.rawValue
    problem = row.problem
    geometry = row.geometry.flatMap { place in row.input.map { RecordedGeometry(place, $0) } }
    cost = row.cost
    maxRelativeError = row.maxRelativeError
    status = row.refusal?.status
    reason = row.refusal?.reason
  }

  /// The row again; nil if the record holds what cannot be.
  func row(milliseconds: [Double], speedup: Double) -> OperatorRow? {
    guard let pass = TimedPass(rawValue: pass) else { return nil }
    let refusal = reason.map {
      status == "unsupported" ? OperatorRow.Refusal.unsupported($0) : OperatorRow.Refusal.refused($0)
    }
    return OperatorRow(
      kernel: kernel, algorithm: algorithm, pass: pass, problem: problem, geometry: geometry?.geometry,
      input: geometry?.inputShape, cost: cost, milliseconds: milliseconds, speedup: speedup,
      maxRelativeError: maxRelativeError, refusal: refusal)
  }
}

/// A convolution's place and input, in plain numbers: extents vertical first, padding top, left, bottom, right.
struct RecordedGeometry: Codable {
  var input, channels, kernel, stride, padding, dilation: [Int]
  var groups: Int

  init(_ place: ConvolutionGeometry, _ shape: FeatureShape) {
    input = [shape.batch, shape.height, shape.width, shape.channels]
    channels = [place.inputChannels, place.outputChannels]
    kernel = [place.kernel.height, place.kernel.width]
    stride = [place.stride.height, place.stride.width]
    padding = [place.padding.top, place.padding.left, place.padding.bottom, place.padding.right]
    dilation = [place.dilation.height, place.dilation.width]
    groups = place.groups
  }

  var inputShape: FeatureShape? {
    guard input.count == 4 else { return nil }
    return FeatureShape(batch: input[0], height: input[1], width: input[2], channels: input[3])
  }

  var geometry: ConvolutionGeometry? {
    guard [channels, kernel, stride, dilation].allSatisfy({ $0.count == 2 }), padding.count == 4 else {
      return nil
    }
    return try? ConvolutionGeometry(
      inputChannels: channels[0], outputChannels: channels[1], kernel: Pair(kernel[0], kernel[1]),
      stride: Pair(stride[0], stride[1]),
      padding: Padding(top: padding[0], left: padding[1], bottom: padding[2], right: padding[3]),
      dilation: Pair(dilation[0], dilation[1]), groups: groups)
  }
}
