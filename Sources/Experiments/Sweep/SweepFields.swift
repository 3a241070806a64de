import Foundation
import Kernels
import Learning
import Tensors

/// What receptive fields a sweep measures: of stacks of each kernel, as `experiment field` without `--model`.
struct SweepFields: Sendable {
  var depth = 10, window = 3, channels = 32
  var size = Pair(61)
  var seeds = 5, batch = 4

  /// What of it defines a run.
  var definition: [String: String] {
    [
      "depth": "\(depth)", "window": "\(window)", "channels": "\(channels)", "size": "\(size)",
      "seeds": "\(seeds)", "batch": "\(batch)",
    ]
  }

  /// What all rows of the table share.
  var cells: [(column: String, cell: String)] {
    [
      ("model", "stack"), ("depth", "\(depth)"), ("kernel_size", "\(window)"), ("channels", "\(channels)"),
      ("seeds", "\(seeds)"), ("batch", "\(batch)"),
    ]
  }

  /// Measures one kernel.
  func measure(_ kernel: KernelChoice, threads: Int) throws -> RecordedField {
    let plan = FieldStudy.Plan(size: size, channels: channels, seeds: seeds, batch: batch, threads: threads)
    let study = try FieldStudy([kernel], plan) { kernel, seed in
      try FieldStudy.stack(kernel, depth: depth, window: window, channels: channels, seed: seed)
    }
    return RecordedField(study.rows[0])
  }
}

/// A kernel's receptive field in a record.
struct RecordedField: Codable {
  var summary: FieldSummary?
  /// Each pixel's share of the contributions, row by row: Float32, little-endian; Base64 in the file.
  var shares: Data?
  var refusal: String?

  init(_ row: FieldStudy.Row) {
    summary = row.field.flatMap(FieldSummary.init)
    shares = row.field.map { field in
      field.shares.reduce(into: Data()) { data, share in
        withUnsafeBytes(of: Float(share).bitPattern.littleEndian) { data.append(contentsOf: $0) }
      }
    }
    refusal = row.refusal
  }

  /// The map, height × width; nil if the record holds what cannot be.
  var map: Tensor? {
    guard let summary, let shares, (1...4096).contains(summary.height), (1...4096).contains(summary.width),
      shares.count == 4 * summary.height * summary.width
    else { return nil }
    let bytes = [UInt8](shares)
    let values = (0..<bytes.count / 4).map { index in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[4 * index + $1]) << UInt32(8 * $1) })
    }
    return Tensor(values, [summary.height, summary.width])
  }
}
