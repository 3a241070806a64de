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
  func measure(_ kernel: KernelChoice, threads: Int) throws -> FieldStudy.Row {
    let plan = FieldStudy.Plan(size: size, channels: channels, seeds: seeds, batch: batch, threads: threads)
    let study = try FieldStudy([kernel], plan) { kernel, seed in
      try FieldStudy.stack(kernel, depth: depth, window: window, channels: channels, seed: seed)
    }
    return study.rows[0]
  }
}
